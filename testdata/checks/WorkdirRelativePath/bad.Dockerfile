FROM busybox
WORKDIR app/
WORKDIR sub
FROM busybox
ARG DIR=srv
WORKDIR $DIR

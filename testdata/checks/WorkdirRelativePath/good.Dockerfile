FROM busybox AS a
WORKDIR /app
WORKDIR sub
FROM a
WORKDIR more
FROM busybox
ARG DIR=/srv
WORKDIR $DIR

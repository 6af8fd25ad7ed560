FROM busybox
ENTRYPOINT app
FROM busybox
cmd ["broken", ]
SHELL ["/bin/sh", "-c"]
ENTRYPOINT fine

FROM scratch AS scratch
FROM busybox AS context

FROM --platform=linux/amd64 busybox
FROM --platform=linux/amd64 busybox AS final

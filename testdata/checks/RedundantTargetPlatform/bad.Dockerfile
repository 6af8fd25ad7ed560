FROM --platform=$TARGETPLATFORM scratch
FROM --platform=${TARGETPLATFORM} busybox
FROM --platform=${TARGETPLATFORM:-linux/amd64} busybox

ARG VERSION=latest
FROM busybox:${VERSION}${VERSON}
FROM --platform=${BULIDPLATFORM:-linux/amd64} busybox${NOWHERE_NEAR}

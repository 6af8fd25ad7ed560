FROM busybox
COPY --link --chmod=755 a /
ADD --chmod=755 --link=true a /

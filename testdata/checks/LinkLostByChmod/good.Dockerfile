FROM busybox
COPY --link a /
COPY --chmod=755 a /
COPY --link=false --chmod=755 a /

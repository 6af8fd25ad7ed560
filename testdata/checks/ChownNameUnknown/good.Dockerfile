FROM scratch
COPY --chown=1000:1000 a /
COPY --chown=app b /
FROM busybox
COPY --chown=app a /

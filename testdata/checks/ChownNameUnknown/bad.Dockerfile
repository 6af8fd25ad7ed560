FROM scratch
COPY --chown=app a /
FROM scratch
ADD --chown=0:staff a /

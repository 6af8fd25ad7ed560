FROM busybox
ARG SKIP=*.md
COPY --exclude=$SKIP docs /docs/

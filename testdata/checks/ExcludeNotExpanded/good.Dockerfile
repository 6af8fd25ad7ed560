FROM busybox
COPY --exclude=*.md docs /docs/

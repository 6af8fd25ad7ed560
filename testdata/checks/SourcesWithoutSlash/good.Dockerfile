FROM busybox
WORKDIR /app
COPY a b ./
COPY a b .
COPY a b /app
COPY a /file

FROM scratch
FROM scratch AS scratched

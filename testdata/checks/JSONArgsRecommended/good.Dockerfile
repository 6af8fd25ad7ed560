FROM busybox
ENTRYPOINT ["app"]
CMD ["--help"]
FROM busybox AS shell
SHELL ["/bin/sh", "-ec"]
CMD app
FROM shell
ENTRYPOINT app
ONBUILD CMD app

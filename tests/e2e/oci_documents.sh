#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every document we write obeys the image-spec: each compression, several platforms, every field of a config, a layout from save.
. "$(dirname "$0")/lib.sh"
check() { "$support/oci_check.py" "$@" >log || fail "$*"; }
dockerfile <<'D'
FROM busybox
LABEL a=b "c d"="e f"
EXPOSE 80 53/udp
VOLUME /data
WORKDIR /work
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s CMD true
SHELL ["/bin/sh", "-e", "-c"]
COPY file .
RUN echo x >/x && rm /bin/yes
ENTRYPOINT ["/bin/sh"]
D
echo hello >ctx/file
for compression in gzip zstd uncompressed; do
  build -t "docs:$compression" -o "type=oci,dest=$compression,tar=false,compression=$compression" -o type=image ctx
  check $compression
done
printf 'FROM scratch\nARG TARGETARCH\nCOPY file $TARGETARCH/\n' >ctx/Dockerfile
SOURCE_DATE_EPOCH=0 build --platform linux/amd64,linux/arm/v7 -o type=oci,dest=multi,tar=false ctx && check multi
mkdir saved && "$MYBUILD" save docs 2>log | tar -x -C saved && check saved
for field in layout.imageLayoutVersion index.schemaVersion index.manifests.0.size manifest.config.digest manifest.layers \
  manifest.mediaType config.rootfs.type config.os config.history; do
  ! "$support/oci_check.py" gzip --break $field >log || fail "the checker does not miss $field"
done

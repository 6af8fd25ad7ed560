#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Debian for arm64 is configured by its own programs under emulation: thousands of short ones, some set-uid, and dpkg's locks.
# ctest: label=soak
# ctest: timeout=1200
. "$(dirname "$0")/lib.sh"
. "$support/emulator.sh"
emulate
FOREIGN=arm64 make_base debian-arm64-rootfs "$support/debian_rootfs.sh"
foreign_layout() { "$support/oci_layout.sh" "$1" "$bases/debian-arm64-rootfs" zstd arm64; }
KEEP_OWNERS=1 make_base debian-arm64 foreign_layout
dockerfile <<'EOF'
FROM debian
# debootstrap would refuse a root without device nodes; "lxc" tells it that there are none in here.
RUN container=lxc /debootstrap/debootstrap --second-stage && rm -rf /debootstrap /var/cache/apt/archives/*.deb
RUN test -z "$(dpkg --audit)" && dpkg-query -W -f '${db:Status-Abbrev}\n' | sort | uniq -c >/states && useradd -m worker
USER worker
CMD ["sh", "-c", "uname -m; dpkg --print-architecture; id -un; perl -le 'print 6 * 7'; awk '{ print $2 }' /states"]
EOF
busybox+=(--build-context "debian=oci-layout://$bases/debian-arm64")
build --platform linux/arm64 -t debian-arm64 ctx
assert_equal "$(run debian-arm64 | xargs)" "aarch64 arm64 worker 42 ii" "a Debian for arm64"
build --platform linux/arm64 -t debian-arm64 ctx
assert_equal "$(grep -c ' CACHED$' log)" 2 "the same once more"

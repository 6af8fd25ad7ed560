#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# RUN --network=host and --security=insecure need --allow, which is checked before anything runs, and also for cached steps.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN echo first\nRUN --network=host readlink /proc/self/ns/net >/net\n' | dockerfile net
build_fails net
assert_log "network.host is not allowed"
assert_log "Dockerfile:3"
assert_no_log "^#.*RUN echo first"
build_tree --allow network.host net
assert_file out/net "$(readlink /proc/self/ns/net)"
build_tree --network host net
assert_step "readlink" CACHED
build_fails --network none net
build_fails --allow security.insecure net
assert_log "network.host is not allowed"
dockerfile root <<'D'
FROM busybox
RUN --security=insecure grep -E 'CapEff|Seccomp:' /proc/self/status | cut -f2 >/rights; mkdir /t && mount -t tmpfs none /t && ! grep ' /proc/[a-z]' /proc/mounts
RUN --security=sandbox grep -E 'CapEff|Seccomp:' /proc/self/status | cut -f2 >/rights.normal
D
build_fails root
assert_log "security.insecure is not allowed"
build_tree --allow security.insecure --allow network.host root
assert_equal "$(paste -sd' ' out/rights)" "$(grep CapEff /proc/self/status | cut -f2) 0" "rights of an insecure step"
assert_equal "$(paste -sd' ' out/rights.normal)" "00000000a80425fb 2" "rights of the next one"
"$MYBUILD" build --allow all "${busybox[@]}" net >log 2>&1 && fail "--allow all was taken"
assert_log "unknown entitlement all"
printf 'FROM busybox AS unused\nRUN --security=insecure true\nFROM busybox\nRUN echo reached\n' | dockerfile unused && build unused

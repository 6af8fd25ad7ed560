#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
# `mybuild serve` on a disk that is full, at its --max-size, or with few open files: what comes is refused with 507, what is there is read, then it goes on.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
for what in disk size descriptors; do
  python3 "$support/../property/cache_server_full.py" --mybuild "$MYBUILD" --work "$work" --of $what >log 2>&1 || fail "a full $what"
  assert_log "^cache server full, $what: .* 0 wrong" && tail -n 1 log
done

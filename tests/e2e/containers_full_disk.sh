#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On a full disk run says so and leaves no container, no volume and no ID file; containers that are there can be removed.
# A mount namespace of its own keeps the small disk away from everybody else.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"

mkdir "$MYBUILD_ROOT" && mount -t tmpfs -o size=24m,nr_inodes=2000 tmpfs "$MYBUILD_ROOT"
dockerfile <<'D'
FROM busybox
RUN mkdir /v && for i in $(seq 100); do echo $i >/v/$i; done
VOLUME /v
D
build -t image ctx
"$MYBUILD" run --name old image sh -c 'echo kept >/file'
fails() { # ARGS…
  code=0 && "$MYBUILD" run --name new --cidfile id "$@" image true >log 2>&1 || code=$?
  assert_equal $code 125 "run on a full disk" && assert_log "No space left on device"
  assert_equal "$("$MYBUILD" ps -a --format '{{.Names}}') $(ls "$MYBUILD_ROOT/volumes" | wc -l)$(ls id 2>/dev/null)" "old 1"
}
for kept in 0 3 6 9 12 20 60; do # files that can still be made
  (i=0 && while : >"$MYBUILD_ROOT/filler$i" && i=$((i + 1)); do :; done) 2>/dev/null || true
  for i in $(seq $kept); do rm "$MYBUILD_ROOT/filler$i"; done
  fails && fails --rm
  rm -f "$MYBUILD_ROOT"/filler*
done
assert_equal "$("$MYBUILD" run --rm image cat /v/100)" 100 "run when there is room again"
"$MYBUILD" rm -v old && umount "$MYBUILD_ROOT"

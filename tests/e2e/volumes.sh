#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Named volumes outlive containers, anonymous ones go with --rm and rm -v; empty ones get what the image has there.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nRUN mkdir /data && echo image >/data/file && chown -R 12:34 /data && chmod 2750 /data\nVOLUME /data\n' | dockerfile
build -t image ctx
volumes() { "$MYBUILD" volume ls -q "$@" | grep -c . || true; }
look='cat /data/file; stat -c "%u %g %a" /data'
assert_equal "$(run image sh -c "$look" | xargs)" "image 12 34 2750" "an anonymous volume"
assert_equal "$(volumes)" 0 "volumes after --rm"
assert_equal "$(run -v named:/data image sh -c "$look; echo mine >/data/file" | xargs)" "image 12 34 2750" "a named volume"
assert_equal "$(run -v named:/data:ro image cat /data/file) $(run -v named:/other image cat /other/file)" "mine mine" "the next run"
! run -v named:/data:ro image touch /data/x 2>log || fail ":ro was written"
assert_equal "$(run -v fresh:/data:nocopy image ls /data)" "" "nocopy"
run -v fresh:/data image true && assert_equal "$(run -v fresh:/x image cat /x/file)" image "a volume that was empty"
assert_equal "$(volumes)" 2 "volumes with names"
"$MYBUILD" run --name box -v /more -v named:/n image sh -c 'echo kept >/more/file; echo own >/data/file'
assert_equal "$("$MYBUILD" start -a box; volumes) $(volumes -f dangling=true)" "4 1" "all volumes, and those without a container"
! "$MYBUILD" volume rm named 2>log || fail "a volume in use was removed" && assert_log "in use by container"
"$MYBUILD" rm -v box && assert_equal "$("$MYBUILD" volume ls -q | xargs)" "fresh named" "after rm -v"
"$MYBUILD" run --name box image true && "$MYBUILD" rm box && assert_equal "$(volumes)" 3 "after rm"
"$MYBUILD" volume prune -f >log && assert_equal "$(volumes)" 2 "after prune" && assert_log "^Total reclaimed space: 6B$"
assert_equal "$("$MYBUILD" volume create --label a=b other)" other "volume create"
where=$("$MYBUILD" volume inspect -f '{{.Mountpoint}} {{.Labels}}' other) && assert_equal "$where" "$MYBUILD_ROOT/volumes/other/data map[a:b]"
"$MYBUILD" volume rm fresh named other >log && assert_equal "$(volumes)" 0 "after volume rm"
! "$MYBUILD" run --rm -v x:/data image true 2>log || fail "a volume name of one letter" && assert_log "invalid volume name"

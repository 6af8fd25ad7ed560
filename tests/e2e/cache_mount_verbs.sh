#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mybuild cache-mount: what there is, and a cache that goes from one state directory to another with owners and modes.
. "$(dirname "$0")/lib.sh"
caches() { "$MYBUILD" cache-mount "$@"; }
printf 'FROM busybox\nRUN --mount=type=cache,target=/c,id=a,uid=5,gid=6,mode=0750 echo kept >/c/f && ln /c/f /c/h && chmod 2640 /c/f && chown 7:8 /c/f && mkdir /c/.d && ln -s /x /c/.d/l\n' | dockerfile
build ctx && assert_equal "$(caches ls --format '{{.ID}} {{.Owner}} {{.Mode}} {{.Size}} {{.InUse}}')" "a 5:6 0750 7B no"
caches ls >log && assert_log '^ID +KEY +SIZE +OWNER +MODE +LAST USED +IN USE$' && assert_equal "$(caches ls -q)" "$(caches ls --format '{{.Key}}')"
# The same id with another owner is another cache, and a later build says so.
printf 'FROM busybox\nRUN --mount=type=cache,target=/c,id=a test ! -e /c/f\n' | dockerfile other
build other && assert_log 'CacheOwnerDiffers: cache "a" has uid=0,gid=0,mode=0755 here and uid=5,gid=6,mode=0750 in an earlier'
build --no-cache other && assert_no_log CacheOwnerDiffers
caches export a -o a.tar.zst 2>log && zstd -qdc a.tar.zst | tar tf - | grep -x cache-mounts.json >/dev/null || fail "no archive"
caches export "$(caches ls -q | sed -n 1p)" >one.tar && tar xOf one.tar cache-mounts.json | jq -e '.cache_mounts | length == 1' >/dev/null || fail "one by its key"
assert_equal "$("$MYBUILD" du --format '{{.Type}} {{.TotalCount}}' | grep Mounts)" "Cache Mounts 2" "du"
MYBUILD_ROOT=$work/second caches import - <a.tar.zst >imported && assert_equal "$(grep -c '^"a" (' imported)" 2 "imported"
printf 'FROM busybox\nRUN --mount=type=cache,target=/c,id=a,uid=5,gid=6,mode=0750 stat -c "%%a %%u:%%g %%h" /c /c/f >/o; cat /c/h >>/o; readlink /c/.d/l >>/o\n' | dockerfile
MYBUILD_ROOT=$work/second build_tree ctx && assert_equal "$(xargs <out/o)" "750 5:6 3 2640 7:8 2 kept /x" "what the step sees"
MYBUILD_ROOT=$work/second caches import one.tar renamed >/dev/null && MYBUILD_ROOT=$work/second caches ls --format '{{.ID}}' | grep renamed >/dev/null || fail "another id"
! caches import "$0" 2>log || fail "no archive was imported"
# A cache of an older version has no record until its next use.
rm "$MYBUILD_ROOT"/cache-mounts/*/record.json && assert_equal "$(caches ls --format '{{.ID}}' | sort -u)" "<unknown>" "without records"
! caches export a 2>log && assert_log 'no such cache mount: a' || fail "what has no id was found"
build --no-cache other && assert_equal "$(caches ls --format '{{.ID}}' | sort | xargs)" "<unknown> a" "after its next use"
caches rm a >log && assert_log '^"a" \(' && caches rm --all >log && assert_equal "$(caches ls -q)" "" "after rm"
build --no-cache other && assert_equal "$(caches ls --format '{{.ID}}')" a "made again"

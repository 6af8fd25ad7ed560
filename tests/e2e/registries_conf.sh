#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# registries.conf: a mirror that is asked first, one that is down, a blocked registry, names without a registry.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
serve_registry origin "" "" && origin=$registry && push "$bases/busybox" library/app:1 && push "$bases/busybox" only:1
serve_registry mirror "" "" && mirror=$registry && push "$bases/busybox" copy/library/app:1
count() { grep -cE "\"GET /v2/$1.* 200" "$2.log" || true; }
pull() { rm -rf "$MYBUILD_ROOT" && "$MYBUILD" pull "$1" >out 2>log; }
cat >home/.config/containers/registries.conf <<C
unqualified-search-registries = ["$mirror", "$origin"]
[[registry]]
location = "$origin"
[[registry.mirror]]
location = "127.0.0.1:$(free_port)"
[[registry.mirror]]
location = "$mirror/copy"
[[registry]]
location = "localhost:1/blocked"
blocked = true
C
pull "$origin/library/app:1" || fail "pull"
assert_equal "$(count copy/library/app mirror) $(count library/app origin)" "3 0" "requests of the mirror and of the registry"
pull "$origin/only:1" && [ "$(count only origin)" = 3 ] || fail "what the mirror lacks"
! pull localhost:1/blocked/app && assert_log "blocked: .*registries.conf" || fail "a blocked registry"
printf 'FROM only:1\nRUN true\n' | dockerfile && build ctx && assert_log "load metadata for $origin/only:1"
run only:1 true 2>log || fail "run by a short name"
"$MYBUILD" push "$origin/only:1" >out 2>log || fail "push"
echo 'short-name-mode = 1' >home/.config/containers/registries.conf
! pull only:1 && assert_log "registries.conf:1" || fail "a broken file"

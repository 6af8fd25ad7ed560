#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A registry that speaks plain http, on a host that is not this machine's own name: the error names the option that allows it.
[ -n "${OWN_NET:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --net env OWN_NET=1 bash "$0"
. "$(dirname "$0")/lib.sh"
ip link set lo up && ip address add 192.0.2.1/32 dev lo
registry=192.0.2.1:5000
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s/registry}}\nhttp: {addr: "%s"}\n' "$work" "$registry" >registry.yml
docker-registry serve registry.yml >registry.log 2>&1 & processes+=($!)
wait_for_registry && push "$bases/busybox" app:1
! "$MYBUILD" pull "$registry/app:1" >log 2>&1 || fail "plain http without a word"
assert_log "hint: .*--insecure-registry $registry" && assert_log "GET https://$registry/v2"
printf 'FROM %s/app:1\n' "$registry" | dockerfile && build_fails ctx && assert_log "hint: .*--insecure-registry $registry"
"$MYBUILD" pull --insecure-registry "$registry" "$registry/app:1" >log 2>&1 || fail "with the option"

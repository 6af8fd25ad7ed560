#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Connections that break in the middle of a blob: a pull goes on where it was, more often than a transfer is tried without progress; a
# push begins again, as docker-registry cannot go on with what broke.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
mkdir -p ctx && head -c 15000000 /dev/urandom >ctx/data
printf 'FROM busybox\nCOPY data /data\n' | dockerfile
start_registry
direct=$registry
# over_a_bad_line TIMES: the registry at $line; so many connections end after 1.5 MB.
over_a_bad_line() {
  rm -f address
  python3 "$support/cutting_proxy.py" "$direct" 1500000 "$1" >address 2>resets & processes+=($!)
  until [ -s address ]; do sleep 0.05; done
  line=$(<address)
}
over_a_bad_line 4
build -t "$line/broken:1" ctx
"$MYBUILD" push "$line/broken:1" >out 2>log || fail "a push over it: $(cat resets)"
assert_equal 4 "$(wc -l <resets)" "resets of the push"
skopeo copy -q --src-tls-verify=false "docker://$direct/broken:1" oci:copied:1 || fail "skopeo"
mv "$MYBUILD_ROOT" first
over_a_bad_line 8
"$MYBUILD" pull "$line/broken:1" >out 2>log || fail "a pull over it: $(cat resets)"
assert_equal 8 "$(wc -l <resets)" "resets of the pull"
"$MYBUILD" run --rm "$line/broken:1" cat /data | cmp - ctx/data || fail "other bytes"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Connections that break in the middle of a blob, more often than a transfer is tried: both directions go on where they were.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
mkdir -p ctx && head -c 15000000 /dev/urandom >ctx/data
printf 'FROM busybox\nCOPY data /data\n' | dockerfile
start_registry
direct=$registry
# over_a_bad_line: the registry at $line; four connections end after 3 MB.
over_a_bad_line() {
  rm -f address
  python3 "$support/cutting_proxy.py" "$direct" 3000000 4 >address 2>resets & processes+=($!)
  until [ -s address ]; do sleep 0.05; done
  line=$(<address)
}
over_a_bad_line
build -t "$line/broken:1" ctx
"$MYBUILD" push "$line/broken:1" >out 2>log || fail "a push over it: $(cat resets)"
assert_equal 4 "$(wc -l <resets)" "resets of the push"
skopeo copy -q --src-tls-verify=false "docker://$direct/broken:1" oci:copied:1 || fail "skopeo"
mv "$MYBUILD_ROOT" first
over_a_bad_line
"$MYBUILD" pull "$line/broken:1" >out 2>log || fail "a pull over it: $(cat resets)"
assert_equal 4 "$(wc -l <resets)" "resets of the pull"
"$MYBUILD" run --rm "$line/broken:1" cat /data | cmp - ctx/data || fail "other bytes"

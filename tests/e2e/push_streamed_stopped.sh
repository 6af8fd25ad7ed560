#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An upload beside the compression ends when it turns out that the registry has the layer, when the build fails, and with the
# build that is stopped; the next one takes its place.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
serve_registry registry "" ""
direct=$registry
mkdir -p ctx && head -c 40000000 /dev/urandom >ctx/data
printf 'FROM busybox\nCOPY data /data\n' | dockerfile
layers() { skopeo inspect --raw --tls-verify=false "docker://$1" | jq -c .layers; }
no_sessions() { ! find registry -path "*_uploads/*" -name data | grep . || { grep -a "DELETE\|PATCH\|POST" registry.log | cut -c1-400 >&2; fail "an upload is left: $1"; }; }
build --push -t "$direct/built:1" ctx
start_slow line "$direct" 8000000
export MYBUILD_ROOT=$work/other
spent=$(milliseconds build --push -t "$slow/built:1" ctx)
assert_below "$spent" 4000 "milliseconds at 8 MB/s for 40 MB that are there" && no_sessions "of what was there"
printf 'FROM busybox AS other\nRUN sleep 1 && false\nFROM busybox\nCOPY data /data2\nCOPY --from=other /no /no\n' | dockerfile
build_fails --push -t "$slow/failed:1" ctx && no_sessions "of a build that failed"

set -m # a job is a process group of its own, and SIGINT is not ignored in it
printf 'FROM busybox\nCOPY data /data\n' | dockerfile && rm -rf "$MYBUILD_ROOT"
"$MYBUILD" build --progress plain "${busybox[@]}" --push -t "$slow/killed:1" ctx >log 2>&1 &
until compgen -G "registry/docker/registry/v2/repositories/killed/_uploads/*/data" >/dev/null; do kill -0 $! && sleep 0.02; done
start=${EPOCHREALTIME/./} status=0
kill -INT -- -$! && wait $! || status=$?
assert_below $(((${EPOCHREALTIME/./} - start) / 1000)) 1000 "milliseconds until it stopped" && assert_equal $status 130 "exit code"
build --push -t "$direct/killed:1" ctx && assert_equal "$(layers "$direct/killed:1")" "$(layers "$direct/built:1")" "after all"

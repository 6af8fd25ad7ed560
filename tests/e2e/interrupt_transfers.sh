#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ctrl-C and kill -9 while a base image or a layer of an imported cache comes over a slow line: the end is at once, nothing
# is left, and the next build fetches what is missing.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
start_registry
cached=(--build-arg WHO=1 -o type=oci,dest=image.tar) # an archive needs the layer's bytes
printf 'FROM busybox\nRUN head -c 6000000 /dev/urandom >/big\nARG WHO\nRUN sha256sum /big >/sum\n' | dockerfile cached
build -t "$registry/base:1" --push --cache-to "type=registry,ref=$registry/cache:1,mode=max" "${cached[@]:0:2}" cached
start_slow line "$registry" 1000000
cached+=(--cache-from "type=registry,ref=$slow/cache:1" cached)
printf 'FROM %s/base:1\nRUN sha256sum -c /sum\n' "$slow" | dockerfile
set -m # a job is a process group of its own, and SIGINT is not ignored in it
stop_with() { # SIGNAL EXIT_CODE ARGS…
  local status=0 start
  rm -rf "$MYBUILD_ROOT"
  "$MYBUILD" build --progress plain "${busybox[@]}" "${@:3}" >log 2>&1 &
  until grep -qE '[0-9]MB / 6.' log; do kill -0 $! && sleep 0.05 || fail "nothing was fetched slowly"; done
  start=${EPOCHREALTIME/./}
  kill "-$1" -- "-$!"
  wait $! || status=$?
  assert_below $(((${EPOCHREALTIME/./} - start) / 1000)) 1000 "milliseconds until it stopped"
  assert_equal $status "$2" "exit code after SIG$1" && [ ! -e image.tar ] || fail "half an image"
  [ "$1" = KILL ] || assert_nothing_left
  build "${@:3}" && assert_nothing_left
}
stop_with INT 130 ctx && assert_step "sha256sum" DONE && stop_with KILL 137 ctx && assert_step "sha256sum" DONE
stop_with INT 130 "${cached[@]}" && assert_step "head" CACHED && rm image.tar && stop_with KILL 137 "${cached[@]}" && assert_step "sha256sum" CACHED

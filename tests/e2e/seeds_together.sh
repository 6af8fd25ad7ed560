#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# Three containers of one image serve at once, each on its port, and see nothing of each other; the image stays as it was.
. "$(dirname "$0")/lib.sh"
. "$support/seeds.sh"

seed_node
build -t server "${seed_bases[@]}" "${npm_proxy[@]}" ctx/node
fingerprint() { (cd "$MYBUILD_ROOT/layers" && find . -printf '%p %m %U:%G %s %T@ %l\n' | sort | sha256sum); }
image=$("$MYBUILD" inspect server && fingerprint)
ports=("$(free_port)" "$(free_port)" "$(free_port)")
for port in "${ports[@]}"; do serve server "$port"; done
for visit in 1 2; do
  for port in "${ports[@]}"; do
    assert_equal "$(get "$port" /)" "visit $visit on port $port, a day has 86400000 ms" "a visit"
    assert_equal "$(get "$port" /processes)" 1 "processes that a container sees"
  done
done
assert_equal "$("$MYBUILD" inspect server && fingerprint)" "$image" "the image with three containers"
! run server cat /app/journal 2>log || fail "a container's file is in the image"
for process in "${processes[@]: -3}"; do kill "$process" && wait "$process" || fail "a server ended with $?"; done
assert_equal "$("$MYBUILD" inspect server && fingerprint)" "$image" "the image after three containers"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where anybody may read (`mybuild serve --anonymous-read`) clients pull without a token, and push with the one that they have.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
. "$support/cache_server.sh"
start_cache cache --anonymous-read
push() { skopeo copy -q --dest-tls-verify=false "${@:2}" "oci:$bases/busybox" "docker://$cache/team/busybox:$1" 2>log; }
push 1 --dest-creds "me:$token" || fail "a push with a token: $(<log)"
push 2 && fail "a push without a token"
push 3 --dest-creds me:wrong && fail "a push with a wrong token"
skopeo copy -q --src-tls-verify=false "docker://$cache/team/busybox:1" oci:back:1 2>log || fail "a pull without a token: $(<log)"
skopeo copy -q --src-tls-verify=false --src-creds "me:$token" "docker://$cache/team/busybox:1" oci:back:2 2>log || fail "a pull with a token"
skopeo copy -q --src-tls-verify=false --src-creds me:wrong "docker://$cache/team/busybox:1" oci:back:3 2>log && fail "a pull with a wrong token"
assert_equal "$(skopeo list-tags --tls-verify=false "docker://$cache/team/busybox" | jq -c .Tags)" '["1"]'
skopeo login --tls-verify=false -u me -p wrong "$cache" >log 2>&1 && fail "a login with a wrong token"
skopeo login --tls-verify=false -u me -p "$token" "$cache" >log 2>&1 || fail "a login: $(<log)"
push 2 && skopeo logout "$cache" >log 2>&1 || fail "a push after the login: $(<log)"
"$MYBUILD" pull -q "$cache/team/busybox:2" >log 2>&1 || fail "our pull without a token: $(<log)"
"$MYBUILD" tag "$cache/team/busybox:2" "$cache/team/busybox:4"
! "$MYBUILD" push -q "$cache/team/busybox:4" >log 2>&1 || fail "our push without a token"
"$MYBUILD" login -u me --password-stdin "$cache" <<<"$token" >log 2>&1 || fail "our login: $(<log)"
"$MYBUILD" push -q "$cache/team/busybox:4" >log 2>&1 || fail "our push: $(<log)"

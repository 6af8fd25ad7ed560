#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `mybuild serve` is a registry: skopeo, buildah and docker's way to log in work with it as it is, and so do our own pull and push.
# ctest: timeout=240
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
. "$support/cache_server.sh"
start_cache cache
skopeo login -q --tls-verify=false -u me -p wrong "$cache" >log 2>&1 && fail "with a wrong token"
skopeo login --tls-verify=false -u me -p "$token" "$cache" >log 2>&1 || fail "login"
skopeo copy -q --dest-tls-verify=false "oci:$bases/busybox" "docker://$cache/team/busybox:1" 2>log || fail "skopeo push"
skopeo copy -q --src-tls-verify=false "docker://$cache/team/busybox:1" oci:back:1 2>log || fail "skopeo pull"
skopeo copy -q --dest-tls-verify=false --format v2s2 "oci:$bases/busybox" "docker://$cache/team/busybox:docker" 2>log || fail "schema 2"
assert_equal "$(jq -r '.manifests[0].digest' back/index.json)" "$(jq -r '.manifests[0].digest' "$bases/busybox/index.json")"
assert_equal "$(skopeo list-tags --tls-verify=false "docker://$cache/team/busybox" | jq -c .Tags)" '["1","docker"]'
# Buildah builds on it and pushes there; the base's layer is not uploaded again.
printf 'FROM %s/team/busybox:1\nRUN echo hello > /hello\n' "$cache" | dockerfile
buildah() { command buildah --root "$work/b" --runroot "$work/br" --storage-driver vfs "$@"; }
buildah bud --isolation chroot --tls-verify=false -q -t "$cache/app:1" ctx >log 2>&1 || fail buildah
buildah push -q --tls-verify=false "$cache/app:1" >log 2>&1 || fail "buildah push"
"$MYBUILD" login -u me --password-stdin "$cache" <<<"$token" >log 2>&1 || fail "our login"
"$MYBUILD" pull -q "$cache/app:1" >log 2>&1 || fail "our pull"
assert_equal "$("$MYBUILD" run --rm "$cache/app:1" cat /hello)" hello
"$MYBUILD" tag "$cache/app:1" "$cache/app:2" && "$MYBUILD" push -q "$cache/app:2" >log 2>&1 || fail "our push"
skopeo delete --tls-verify=false "docker://$cache/app:1" 2>log || fail "delete"
skopeo inspect --tls-verify=false "docker://$cache/app:1" >log 2>&1 && fail "a deleted manifest is there"
assert_equal "$(ask '/v2/_catalog')" '200 {"repositories":["team/busybox"]}'

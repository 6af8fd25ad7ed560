#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# pull -a brings every tag of a repository, push -a sends all that are here; a tag beside it is refused.
. "$(dirname "$0")/lib.sh"
start_registry
app=$registry/app
"$support/oci_layout.sh" other "$bases/busybox-rootfs" none
push "$bases/busybox" app:1 && push "$bases/busybox" app:2 && push other app:edge
"$MYBUILD" pull -a "$app" >out 2>log || fail "pull -a"
assert_equal "$(sed 's/sha256:.*//' out | sort)" "$(printf '%s\n1: Digest: \n2: Digest: \nStatus: Downloaded newer image for %s\nedge: Digest: ' "$app" "$app")" "what pull -a says"
assert_equal "$("$MYBUILD" images --format '{{.Tag}}' "$app" | sort | tr '\n' ' ')" "1 2 edge " tags
assert_equal "$(run "$app:edge" echo runs)" runs "one of them"
"$MYBUILD" pull -a "$app" >out 2>log && grep -q "^Status: Image is up to date for $app$" out || fail "pull -a again"
assert_equal "$("$MYBUILD" pull --all-tags -q "$app" 2>&1)" "$app" "pull -a -q"
! "$MYBUILD" pull -a "$registry/none" >out 2>log && assert_log "not in the registry" || fail "a repository that is not there"

for tag in a b; do "$MYBUILD" tag "$app:1" "$registry/copy:$tag"; done && "$MYBUILD" tag "$app:1" copy:c
"$MYBUILD" push -a "$registry/copy" >out 2>log || fail "push -a"
assert_equal "$(sed 's/sha256:.*//' out)" "$(printf 'a: digest: \nb: digest: ')" "what push -a says"
assert_equal "$(skopeo list-tags --tls-verify=false "docker://$registry/copy" | jq -r '.Tags | sort | join(" ")')" "a b" "tags in the registry"
assert_equal "$("$MYBUILD" push -qa "$registry/copy" 2>&1)" "$registry/copy" "push -a -q"
! "$MYBUILD" push -a "$registry/none" >out 2>log && assert_log "no image here has a tag of $registry/none" || fail "nothing to push"
for verb in pull push; do
  ! "$MYBUILD" $verb -a "$app:1" >out 2>log && assert_log "cannot be used with --all-tags" || fail "$verb -a with a tag"
done

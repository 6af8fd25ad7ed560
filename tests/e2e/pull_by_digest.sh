#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# NAME:TAG@DIGEST gives no tag, is found by its digest whatever tag stands beside it, and rmi takes a digest alone while a tag is left.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" app:1
digest=sha256:$(skopeo inspect --raw --tls-verify=false "docker://$registry/app:1" | sha256sum | cut -d' ' -f1)
app=$registry/app
"$MYBUILD" pull "$app:1@$digest" >out 2>log && grep -q "Downloaded newer image for $app:1@$digest" out || fail "pull"
assert_equal "$("$MYBUILD" images --format '{{.Repository}} {{.Tag}}' "$app")" "$app <none>" images
! "$MYBUILD" inspect "$app:1" >log 2>&1 && assert_log "no such object" || fail "there is a tag"
asked=$(grep -c '"GET /v2/app' registry.log)
for name in "$app@$digest" "$app:1@$digest" "$app:other@$digest"; do
  assert_equal "$(run --pull never "$name" echo runs)" runs "run $name"
  assert_equal "$("$MYBUILD" inspect -f '{{len .RepoTags}} {{join .RepoDigests " "}}' "$name")" "0 $app@$digest" "inspect $name"
  printf 'FROM %s\nRUN true\n' "$name" | dockerfile && build -o type=cacheonly ctx
done
assert_equal "$(grep -c '"GET /v2/app' registry.log)" "$asked" "requests for what is here"
"$MYBUILD" pull -q "$app:1" >out 2>log && "$MYBUILD" rmi "$app@$digest" >out || fail "rmi of a digest"
assert_file out "Untagged: $app@$digest"
assert_equal "$("$MYBUILD" inspect -f '{{join .RepoTags " "}} {{len .RepoDigests}}' "$app:1")" "$app:1 0" "what is left"
! "$MYBUILD" inspect "$app@$digest" >log 2>&1 || fail "the digest is left"
"$MYBUILD" rmi "$app:1" >out && "$MYBUILD" pull -q "$app@$digest" >out 2>log && "$MYBUILD" rmi "$app:1@$digest" >out || fail "rmi of the last digest"
assert_equal "$(sed 's/ .*//' out | tr '\n' ' ')" "Untagged: Deleted: " "the last digest"
assert_equal "$("$MYBUILD" images -q)" "" "images in the end"

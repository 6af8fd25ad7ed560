#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# manifest inspect, create, annotate and push say and send what those of the docker client do; --insecure is for TLS that nobody checks.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
. "$support/others.sh"
ours() { "$MYBUILD" manifest "$1" --insecure "${@:2}" >ours 2>log || fail "mybuild manifest $*"; }
raw() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1"; }
printf 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n' | dockerfile && echo amd64 >ctx/amd64 && echo arm >ctx/arm
for arch in amd64 arm; do build --platform linux/$arch -t $arch -o type=oci,dest=$arch.tar ctx; done
make_authority test && make_certificate server test && start_tls_registry tls
for arch in amd64 arm; do skopeo copy -q --dest-tls-verify=false --format v2s2 oci-archive:$arch.tar "docker://$registry/$arch:1"; done
! "$MYBUILD" manifest inspect "$registry/arm:1" >ours 2>log && assert_log "certificate" || fail "a certificate that nobody signed"
ours inspect -v "$registry/arm:1" && jq -r .Raw ours | base64 -d | cmp - <(raw arm:1) || fail "other bytes"
ours create "$registry/app:1" "$registry/amd64:1" "$registry/arm:1"
"$MYBUILD" manifest annotate --os-features a,b --os-features c,a --os-version 10.1 --variant v7 "$registry/app:1" "$registry/arm:1"
! "$MYBUILD" manifest push "$registry/app:1" >ours 2>log && assert_log "certificate" && ours push -p "$registry/app:1" && pushed=$(raw app:1)
assert_equal "$(jq -c '.manifests[1].platform | [."os.features", ."os.version", .variant]' <<<"$pushed")" '[["a","b","c"],"10.1","v7"]' "what was pushed"
ours inspect "$registry/app:1" && assert_equal "$(cat ours)" "$pushed" "what the registry has"

command -v docker >/dev/null || skip "the rest: no docker, neither installed nor in build/peers (./dev test puts it there)"
export DOCKER_CLI_EXPERIMENTAL=enabled
docker manifest create --insecure "$registry/app:2" "$registry/arm:1" "$registry/amd64:1" >theirs 2>log || fail "docker manifest create"
docker manifest annotate --os-features a,b --os-features c,a --os-version 10.1 --variant v7 "$registry/app:2" "$registry/arm:1"
docker manifest push --insecure -p "$registry/app:2" >theirs 2>log && assert_equal "$(raw app:2)" "$pushed" "what docker pushes"
for name in "$registry/arm:1" "$registry/app:1" "-v $registry/arm:1" "-v $registry/app:1"; do # a word or two
  docker manifest inspect --insecure $name >theirs 2>log && ours inspect $name || fail "docker manifest inspect $name"
  grep -q '"Raw":' theirs || sed -i '/"Raw":/d' ours # docker has it since version 23
  cmp theirs ours || fail "inspect $name: $(diff theirs ours)"
done

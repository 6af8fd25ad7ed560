#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docker, containerd and podman log in to `mybuild serve` with a token, push and pull there by tag and by digest, and log out.
# ctest: timeout=300
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
. "$support/cache_server.sh"
. "$support/others.sh"
start_docker
start_cache cache
image=$cache/main/hello
printf 'FROM busybox\nRUN echo hello >/hello\nCMD cat /hello\n' | dockerfile
build -o type=docker,dest=hello.tar -t "$image:1" ctx
docker_ load -q -i hello.tar >log 2>&1 || fail "docker load"
docker_ push -q "$image:1" >log 2>&1 && fail "docker pushes without a token"
docker_ login -u me --password-stdin "$cache" <<<mbt_wrong >log 2>&1 && fail "docker logs in with a wrong token"
docker_ login -u me --password-stdin "$cache" <<<"$token" >log 2>&1 || fail "docker login"
docker_ push -q "$image:1" >log 2>&1 || fail "docker push"
digest=$(docker_ inspect -f '{{index .RepoDigests 0}}' "$image:1")
id=$(docker_ inspect -f '{{.Id}}' "$image:1") && docker_ rmi -f "$id" >log
docker_ pull -q "$digest" >log 2>&1 && assert_equal "$(docker_ inspect -f '{{.Id}}' "$digest")" "$id" "docker pull by digest"
docker_ logout "$cache" >log 2>&1 && docker_ rmi -f "$id" >log && docker_ pull -q "$image:1" >log 2>&1 && fail "docker pulls after the logout"
# containerd, the daemon's own, is told by each command who asks.
ctr_() { ctr -a "$work/docker-run/containerd/containerd.sock" -n e2e images "$@" --plain-http --user "me:$token" "${images[@]}" >log 2>&1 || fail "ctr $*"; }
images=("$image:1") && ctr_ pull --snapshotter native && images=("$digest") && ctr_ pull --snapshotter native
images=("$image:2" "$digest") && ctr_ push && assert_equal "$(ask /v2/main/hello/tags/list)" '200 {"name":"main/hello","tags":["1","2"]}'
podman_ login --tls-verify=false -u me -p "$token" "$cache" >log 2>&1 || fail "podman login"
podman_ pull -q --tls-verify=false "$image:2" >log 2>&1 && podman_ push -q --tls-verify=false "$image:2" "docker://$image:3" >log 2>&1 || fail podman
podman_ pull -q --tls-verify=false "$digest" >log 2>&1 && podman_ logout "$cache" >log 2>&1 || fail "podman by digest"

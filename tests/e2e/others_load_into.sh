#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build --load into a real docker daemon, and into podman: they have the image under its id and name, and run it.
. "$(dirname "$0")/lib.sh"
. "$support/others.sh"
unset MYBUILD_LOAD_INTO
printf 'FROM busybox\nRUN echo there >/file\nCMD cat /file\n' | dockerfile
command -v podman >/dev/null || skip "no podman: neither installed nor in build/peers (./dev test puts it there)"
mkdir tools && printf '#!/bin/sh\nexec %s %s "$@"\n' "$(command -v podman)" "${stores[*]}" >tools/podman && chmod +x tools/podman
MYBUILD_LOAD_INTO=podman PATH=$work/tools:$PATH build --load -t there:1 ctx
assert_log "importing to podman" && id=$("$MYBUILD" inspect -f '{{.Id}}' there:1)
assert_equal "sha256:$(podman_ inspect -f '{{.Id}}' docker.io/library/there:1)" "$id" "the image id in podman"
start_docker
DOCKER_HOST=unix://$work/docker.sock build -o type=docker -t there:1 ctx
assert_log "importing to docker" && assert_equal "$(docker_ inspect -f '{{.Id}}' there:1)" "$id" "the image id in docker"
docker_ run --rm --network host --ulimit nofile=1024:1024 there:1 >out 2>log || fail "docker run"
assert_file out there

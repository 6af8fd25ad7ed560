#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A cache in a registry: an empty machine finds all steps and pushes the same image without a layer being downloaded; a source
# that is not there is a warning, and several targets get the same.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
printf 'FROM %s/base:1 AS build\nRUN date >/t; touch /u\nFROM %s/base:1\nRUN echo 1 >/a\nCOPY --from=build /t /t\nRUN cat /t >/b\n' \
  "$registry" "$registry" | dockerfile
export SOURCE_DATE_EPOCH=1700000000
to=type=registry,ref=$registry
build -t "$registry/app:a" --push --cache-to "$to/cache:max,mode=max" --cache-to type=local,dest=folder,mode=max ctx
assert_log 'exporting cache to registry'
digest() { skopeo inspect --tls-verify=false "docker://$registry/app:$1" | jq -r .Digest; }
downloads() { grep 'http.request.method=GET' registry.log | grep -c 'blobs/sha256' || true; }
export MYBUILD_ROOT=$work/b
before=$(downloads)
build -t "$registry/app:b" --push --cache-from "127.0.0.1:1/none:1" --cache-from "$registry/cache:max" --cache-to "$to/again:max,mode=max" ctx
assert_below "$(($(downloads) - before))" 3 "downloads (the config of the base, the cache)"
assert_equal "$(grep -c CACHED log)" 4 "cached steps"
assert_equal "$(digest b)" "$(digest a)" "the image of another machine"
layers() { skopeo inspect --raw --tls-verify=false "docker://$registry/$1" | jq -c .layers; }
assert_equal "$(layers again:max)" "$(layers cache:max)" "the layers of a cache that was passed on"
printf 'FROM %s/base:1\nRUN echo other >/a\n' "$registry" | dockerfile other
build --cache-from 127.0.0.1:1/none:1 other && assert_log 'importing cache manifest from 127.0.0.1:1/none:1: '

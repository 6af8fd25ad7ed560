#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# mode=min, alone or in the image, has the layers of the image only: an unchanged build of several stages runs nothing, though its
# first stage gives other files each time; who needs files of that stage runs it, and finds the rest.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
printf 'FROM %s/base:1 AS build\nRUN date +%%%%N >/t; touch /u\nFROM %s/base:1\nRUN echo 1 >/a\nCOPY --from=build /t /t\nRUN cat /t >/b\n' \
  "$registry" "$registry" | dockerfile
export SOURCE_DATE_EPOCH=1700000000
build -o "type=registry,name=$registry/app:a" --cache-to "type=registry,ref=$registry/cache:min" --cache-to type=inline ctx
skopeo inspect --raw --tls-verify=false "docker://$registry/cache:min" | jq -e '.layers | length == 3' >/dev/null || fail "layers of mode=min"
layers() { skopeo inspect --raw --tls-verify=false "docker://$registry/app:$1" | jq -c .layers; }
sed 's#^RUN cat /t .*#COPY --from=build /u /u#' ctx/Dockerfile | dockerfile next
for from in cache:min app:a; do
  export MYBUILD_ROOT=$work/same-$from
  build -o "type=registry,name=$registry/app:b" --cache-from "$registry/$from" ctx
  assert_equal "$(grep -c CACHED log)" 4 "cached steps from $from"
  assert_equal "$(layers b)" "$(layers a)" "the image by $from"
  export MYBUILD_ROOT=$work/next-$from
  build -o type=cacheonly --cache-from "$registry/$from" --cache-to "type=registry,ref=$registry/next:max,mode=max" next
  assert_step "RUN date" DONE && assert_step "COPY --from=build /u" DONE && assert_step "RUN echo" CACHED
  assert_no_log "not used any more" && assert_no_log ERROR
done

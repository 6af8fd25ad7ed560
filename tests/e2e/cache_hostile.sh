#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A cache that lies: wrong changes, diff ids, sizes and bytes, layers that are not there, documents that are none. The build says
# so and does the steps itself; nothing of it is in the store afterwards.
# ctest: timeout=400
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nRUN echo truth >/a\nRUN cp /a /b\n' | dockerfile
build -o type=cacheonly --cache-to type=local,dest=good ctx
printf 'FROM busybox\nRUN echo truth >/a\nRUN cp /a /b\nRUN cat /a /b >/c\n' | dockerfile
put() { # FOLDER TYPE: the document of stdin as a blob; its descriptor
  cat >new && cp new "$1/blobs/sha256/$(sha256sum new | cut -d' ' -f1)"
  printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$2" "$(sha256sum new | cut -d' ' -f1)" "$(stat -c %s new)"
}
spoilt() { # FILTER [MANIFEST-FILTER]: the folder bad, with other documents
  rm -rf bad && cp -r good bad
  config=$(manifest_of good | jq -r .config.digest)
  config=$(blob good "$config" | eval "${1:-cat}" | put bad application/vnd.mybuild.cache.v1+json)
  manifest_of good | jq -c ".config = $config | ${2:-.}" | put bad application/vnd.oci.image.manifest.v1+json >line
  jq -c --slurpfile line line '.manifests = [$line[0] + {annotations: {"org.opencontainers.image.ref.name": "latest"}}]' good/index.json >bad/index.json
}
try() { # EXPECTED: the warning
  export MYBUILD_ROOT=$work/root.$((++tries))
  build -t image --cache-from type=local,src=bad ctx && assert_log "$1" && assert_step 'cp /a' DONE
  build -t image ctx && assert_equal "$("$MYBUILD" run --rm image cat /a /b /c)" "$(printf 'truth\n%.0s' 1 2 3 4)" "$1"
}
. "$support/lying_caches.sh"
cp -r good mended && echo '{' >mended/index.json
build -o type=cacheonly --cache-to type=local,dest=mended ctx && assert_log "mended: index.json: .*; a new index takes its place"
export MYBUILD_ROOT=$work/mended.root && build -o type=cacheonly --cache-from type=local,src=mended ctx && assert_step 'cp /a' CACHED

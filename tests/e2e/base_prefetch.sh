#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The base of the result is fetched while other stages run, as its output needs it anyway; without such an output nobody asks for it.
. "$(dirname "$0")/lib.sh"
command -v docker-registry >/dev/null || skip "docker-registry is not installed"
start_registry
printf 'FROM busybox\nRUN echo base >/base\n' | dockerfile && MYBUILD_ROOT=$work/other build --push -t "$registry/base" ctx
layer=$(skopeo inspect --raw --tls-verify=false "docker://$registry/base" | jq -r '.layers[-1].digest')
requests() { grep -c "GET /v2/base/blobs/$layer .* 200 " registry.log; }
dockerfile <<EOF
FROM busybox AS build
RUN sleep 3 && echo made >/made
FROM $registry/base
COPY --from=build /made /made
EOF
"$MYBUILD" build --progress plain "${busybox[@]}" -t image ctx >log 2>&1 &
for _ in $(seq 50); do [ "$(requests)" = 0 ] || break && sleep 0.05; done
assert_equal "$(requests)" 1 "requests for the base while the stage runs"
assert_no_log 'COPY --from=build'
wait $! || fail "the build failed"
run image cat /made >out && assert_file out made
assert_equal "$(requests)" 1 "requests for the base in all"

export MYBUILD_ROOT=$work/empty
printf 'FROM %s/base\nENV a=b\n' "$registry" | dockerfile
build -o type=cacheonly ctx
assert_equal "$(requests)" 1 "requests of a build whose result goes nowhere"
"$MYBUILD" build -t other ctx >log 2>&1 || fail "the build failed"
assert_equal "$(requests)" 2 "requests of a build whose result is stored"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# A node server on a base from a registry: npm really installs, leaves no trace of the way it took, and nothing is asked twice.
. "$(dirname "$0")/lib.sh"
. "$support/seeds.sh"

seed_node
start_registry
base_of_registry node:14-alpine
build -t server "${from_registry[@]}" "${npm_proxy[@]}" ctx/node
asked=$(requests)
assert_below 0 "$asked" "requests of the first build"
serve server "$(free_port)"
build -t server "${from_registry[@]}" ctx/node
for step in "WORKDIR /app" "COPY package.json" "RUN npm install" "COPY \. \."; do assert_step "$step" CACHED; done
serve server "$(free_port)"
assert_equal "$(requests)" "$asked" "requests after a second build and a second run"

build -o type=oci,dest=layout,tar=false -o type=local,dest=out "${from_registry[@]}" ctx/node
assert_equal "$(jq -r '.packages["node_modules/ms"].integrity' out/app/package-lock.json)" \
  "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==" "what npm installed"
assert_equal "$(config_of layout | jq -c '[.config.WorkingDir, .config.Cmd, .config.ExposedPorts]')" \
  '["/app",["node","app.js"],{"80/tcp":{}}]' "the config"
for trace in "$(cut -d/ -f3 proxy.url)" "$registry" http_proxy=; do
  ! { config_of layout && manifest_of layout && find out/app out/root out/tmp out/etc -type f -exec cat {} +; } | grep -aiF "$trace" ||
    fail "$trace is in the image"
done

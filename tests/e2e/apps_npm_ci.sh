#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# An image as node projects make it: npm ci by a lock file with npm's cache in a mount, a second stage, a user of its own.
. "$(dirname "$0")/lib.sh"
. "$support/seeds.sh"

seed_node
cat >ctx/node/package-lock.json <<J
{"name": "seed", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
  "": {"name": "seed", "version": "1.0.0", "dependencies": {"ms": "$dependency"}},
  "node_modules/ms": {"version": "2.1.3", "resolved": "$dependency",
    "integrity": "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="}}}
J
dockerfile ctx/node <<'D'
FROM node:14-alpine AS modules
WORKDIR /app
COPY package*.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --no-update-notifier
FROM node:14-alpine
RUN groupadd -r node && useradd -r -g node node
COPY --chown=node:node --from=modules /app/node_modules /app/node_modules
USER node
CMD ["sh", "-c", "cd /app && ls -A ~ /root/.npm; stat -c %U node_modules/ms/index.js; node -p 'require(`ms`)(`2d`)'"]
D
build -t image "${seed_bases[@]}" "${npm_proxy[@]}" ctx/node
assert_equal "$(run image 2>/dev/null | tr '\n' ' ')" "node 172800000 " "owner and result, and no cache in the image"

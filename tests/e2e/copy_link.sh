#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# COPY --link makes a layer that knows nothing of the base: another base, the same layer, and nothing is copied again.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
ARG ROOT=/first
RUN mkdir -p -m 700 $ROOT /dir && ln -s /dir /link && echo old >/file
WORKDIR /app
COPY --link data/a .
COPY --link data /link
ADD --link --chown=12:34 data/b /file
COPY --link --chmod=600 data/b /mode
RUN cat /app/a /link/b && stat -c '%a %u:%g' /file /mode /link >/stat
D
mkdir ctx/data && echo a >ctx/data/a && echo b >ctx/data/b
layers() { manifest_of "$1" | jq -r .layers[].digest; }
build -o type=oci,dest=one,tar=false ctx
assert_log "--link does nothing beside --chmod"
build -o type=oci,dest=again,tar=false ctx
assert_equal "$(oci_digest again)" "$(oci_digest one)" "a warm build"
assert_step "cat /app/a" CACHED
build --build-arg ROOT=/second -o type=oci,dest=two,tar=false ctx
for step in "data/a" "data /link" "data/b /file"; do assert_step "--link.* $step" CACHED; done
assert_equal "$(layers two | sed -n 4,6p)" "$(layers one | sed -n 4,6p)" "linked layers on another base"
[ "$(layers two | head -n 2)" != "$(layers one | head -n 2)" ] || fail "the base did not change"
build_tree --build-arg ROOT=/second ctx
assert_file out/stat "$(printf '644 12:34\n600 0:0\n755 0:0')"
[ -d out/link ] && [ ! -L out/link ] && [ -z "$(ls out/dir)" ] || fail "a link of the base was followed"

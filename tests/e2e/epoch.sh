#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SOURCE_DATE_EPOCH from everywhere; the same bytes with and without what earlier builds left; times clamped where that is asked for.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
ARG SOURCE_DATE_EPOCH=1500000000
FROM busybox
WORKDIR /made
COPY new /made/by/copy
COPY --link new /linked/new
RUN touch -d '2030-01-01 00:00:00' /late && touch -d '2001-01-01 00:00:00' /early /
D
echo new >ctx/new && touch -d "2030-01-01 00:00:00" ctx/new
created() { config_of "$1" | jq -r '[.created, .history[-1].created] | unique[]'; }
oci() { rm -rf "$1" && build -o "type=oci,dest=$1,tar=false${2:-}" "${@:3}" ctx; }
oci default && assert_equal "$(created default)" 2017-07-14T02:40:00Z "default of the file"
export SOURCE_DATE_EPOCH=1600000000
oci warm && assert_equal "$(created warm)" 2020-09-13T12:26:40Z "environment"
for step in WORKDIR COPY --link RUN; do assert_step "$step" CACHED; done
oci other "" --build-arg SOURCE_DATE_EPOCH=1000000000 && assert_equal "$(created other)" 2001-09-09T01:46:40Z "argument"
oci own ,source-date-epoch=1100000000 && assert_equal "$(created own)" 2004-11-09T11:33:20Z "output"
rm -rf "$MYBUILD_ROOT" && oci cold
assert_equal "$(oci_digest cold)" "$(oci_digest warm)" "digest without earlier builds"
oci rewritten ,rewrite-timestamp=true
for layer in $(manifest_of rewritten | jq -r '.layers[1:][].digest'); do blob rewritten "$layer" | tar -tvz --full-time --utc; done >list
! grep -E ' 20(2[1-9]|3)' list && grep -q '2020-09-13.* linked/new' list && grep -q '2001-01-01.* early' list || fail "times: $(cat list)"
build_tree ctx && assert_equal "$(stat -c %Y out/late out/early out/made | uniq)" 1600000000 "times of files"
build_fails --build-arg SOURCE_DATE_EPOCH=soon ctx && assert_log "invalid SOURCE_DATE_EPOCH: soon"
build --build-arg SOURCE_DATE_EPOCH=context -o type=cacheonly ctx && assert_log "SOURCE_DATE_EPOCH=context does nothing"

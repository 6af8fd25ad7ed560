#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# history: every instruction with the size and the digest of its layer, newest first, in docker's shape.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nENV A=1\nRUN head -c 5000 /dev/zero >/five\nCOPY file /file\nCMD ["sh"]\n' | dockerfile
echo hello >ctx/file
build -t app ctx
"$MYBUILD" history app >out
assert_equal "$(head -n 1 out | tr -s ' ')" "IMAGE CREATED CREATED BY SIZE LAYER COMMENT" "the heading"
history() { "$MYBUILD" history --no-trunc --format json -H=false app | jq -r "$1"; }
assert_equal "$(history .CreatedBy | head -n 4)" "$(printf '%s\n' 'CMD ["sh"]' 'COPY file /file # buildkit' \
  'RUN /bin/sh -c head -c 5000 /dev/zero >/five # buildkit' 'ENV A=1')" "the instructions"
assert_equal "$(history .Size | head -n 4 | tr '\n' ' ')" "0 6 5000 0 " "sizes"
assert_equal "$(history .Layer | grep -v -- '^-$' | tac)" "$("$MYBUILD" inspect app | jq -r '.[0].RootFS.Layers[]')" "layers"
assert_equal "$(history .ID | head -n 2 | tr '\n' ' ')" "$("$MYBUILD" inspect -f '{{.Id}}' app) <missing> " "ids"
"$MYBUILD" history -q app | head -n 1 | grep -qE '^[0-9a-f]{12}$' || fail "history -q"
assert_equal "$("$MYBUILD" history --format '{{.Size}}' app | sed -n 3p)" 5kB "a template"
! "$MYBUILD" history nope 2>log && grep -q "no such image: nope" log || fail "an unknown image"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files that nobody has read yet are copied and hashed in one go, before the key of their COPY is there. It is the same image, and
# the same cache, as when the key comes first.
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1700000000
ahead() { grep -c "are copied and hashed in one go" log || true; }

dockerfile <<'D'
FROM busybox
COPY --chown=7:8 dir /dir
COPY small /small
D
mkdir ctx/dir && head -c 20M /dev/urandom >ctx/dir/big && echo text >ctx/dir/text && echo small >ctx/small
cp -r ctx other && head -c 20M /dev/urandom >other/dir/big
build -D -t image ctx
assert_equal "$(ahead)" 1 "copies ahead: the first one has all it needs, the second waits for it"
assert_equal "$(grep -oE '^#[0-9]+ .1/[23]. COPY' log | sort -u | wc -l)" 1 "the step is one to the user"
assert_equal "$(run image sh -c 'sha256sum /dir/*; stat -c %u:%g /dir/big')" "$(cd ctx && sha256sum dir/* | sed 's: dir: /dir:'; echo 7:8)"
build -D -t image ctx
assert_equal "$(ahead) $(state_of "COPY.*dir")" "0 CACHED"
cp -r ctx again && build -D -t image again
assert_equal "$(ahead) $(state_of "COPY.*dir")" "0 CACHED" "elsewhere: a layer of that size is here, so it is the key that counts"

id=$(image_id ctx) && rm -rf "$MYBUILD_ROOT"
build -t image other && build -D -t image ctx
assert_equal "$(ahead) $(state_of "COPY.*dir")" "0 DONE" "with a layer of the same size in the store"
assert_equal "$(image_id ctx)" "$id" "the image when the key came first"
# Two builds at once: one goes ahead, and both have the same.
rm -rf "$MYBUILD_ROOT"; image_id ctx >first & image_id ctx >second && wait $! && assert_equal "$(sort -u first second)" "$id"

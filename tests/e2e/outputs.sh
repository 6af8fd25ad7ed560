#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files out of an image: a folder, a tar, a tar on stdout; cacheonly keeps no image; a failed export leaves no half result.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox AS build
RUN mkdir -p /a/b && echo file >/a/b/file && ln /a/b/file /a/hard && ln -s b/file /a/soft && chmod 751 /a/b
FROM scratch
COPY --from=build --chown=12:34 /a /a
COPY plain /
D
echo plain >ctx/plain
build -o type=local,dest=folder -o type=tar,dest=image.tar ctx
mkdir unpacked && tar -xpf image.tar -C unpacked --numeric-owner
diff -r --no-dereference folder unpacked || fail "folder and tar differ"
assert_equal "$(readlink folder/a/soft) $(stat -c '%a %u:%g' folder/a/b unpacked/a | tr '\n' ' ')" "b/file 751 0:0 755 12:34 " metadata
assert_equal "$(stat -c %i folder/a/hard)" "$(stat -c %i folder/a/b/file)" "hard link"
"$MYBUILD" build --progress plain "${busybox[@]}" -o type=tar,dest=- ctx 2>log | tar -tf - | grep -qx "plain" || fail "tar on stdout"
"$MYBUILD" build "${busybox[@]}" -o - ctx 2>log | tar -tf - | grep -qx "plain" || fail "-o -"
build -o folder2 ctx
diff -r --no-dereference folder folder2 || fail "-o DIR"

build -t kept -o type=cacheonly ctx
! "$MYBUILD" inspect kept >log 2>&1 || fail "cacheonly named an image"
mkdir target && mount -t tmpfs -o size=64k tmpfs target
head -c 300000 /dev/urandom >ctx/plain
build_fails -o type=oci,dest=target/image.tar ctx
assert_equal "$(ls -A target)" "" "half an image on a full disk"
umount target

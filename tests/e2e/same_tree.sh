#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Same tree, same digest: whatever the cores, the umask, the time zone, the locale, the order of inodes and the state directory.
. "$(dirname "$0")/lib.sh"
mkdir -p ctx/tree/sub
for i in $(seq 200); do seq "$i" "$((i * 7))" >"ctx/tree/$i" && ln "ctx/tree/$i" "ctx/tree/sub/hard-$i"; done
printf '%s\n' ä ß é Z a _ 'b c' | while read -r name; do echo "$name" >"ctx/tree/$name"; done
ln -s ../1 ctx/tree/sub/link && chmod 4711 ctx/tree/7 && chmod 600 ctx/tree/8
printf 'FROM busybox\nCOPY tree /tree\nCOPY --chown=3:4 tree/1 /one\nWORKDIR /new/dir\nRUN touch -d "2001-02-03 04:05:06" /tree /x\n' >ctx/Dockerfile
find ctx -depth -exec touch -h -d "2020-01-02 03:04:05" {} +

# The same files made in another order: other inodes, other directory order.
mkdir -p other/tree && cp -p ctx/Dockerfile other/
(cd ctx && find tree -depth | sort -r | tar --no-recursion -T - -cf - | tar -xpf - -C ../other)
find ctx other -depth -exec touch -h -d "2020-01-02 03:04:05" {} +
entries() { (cd "$1" && find . -printf '%p %m %T@ %n %l\n' | sort); }
assert_equal "$(entries other)" "$(entries ctx)" "the copied tree"

built() { # NAME CONTEXT WRAPPER…
  MYBUILD_ROOT=$work/root-$1 "${@:3}" "$MYBUILD" build "${busybox[@]}" -o "type=oci,dest=$1,tar=false" "$2" >log 2>&1 || fail "build $1"
}
copied_layers() { manifest_of "$1" | jq -r '.layers[:3][].digest'; }
built plain-1 ctx taskset -c 0 && built plain-2 other env TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 LANG=tr_TR
assert_equal "$(copied_layers plain-2)" "$(copied_layers plain-1)" "layers of COPY without an epoch"
export SOURCE_DATE_EPOCH=1600000000
built epoch-1 ctx taskset -c 0 env TZ=America/New_York
umask 077 && built epoch-2 other env LC_ALL=C && umask 000
built epoch-3 ctx env LC_ALL=de_DE.UTF-8 TZ=UTC
assert_equal "$(oci_digest epoch-2)" "$(oci_digest epoch-1)" "the manifest with another umask, zone and inode order"
assert_equal "$(oci_digest epoch-3)" "$(oci_digest epoch-1)" "the manifest with another locale and no umask"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# busybox_rootfs.sh DIR [BINARY]: a small root file system in DIR from Debian's busybox-static: one binary (BINARY: of another
# architecture) and a link per applet.
set -euo pipefail
dir=$1
busybox=$(command -v busybox) || { echo "busybox is missing: install busybox-static" >&2 && exit 1; }
rm -rf "$dir"
mkdir -p "$dir"/{bin,sbin,usr/bin,usr/sbin,etc,root,home,var/tmp,tmp,dev,proc,sys,run}
chmod 1777 "$dir/tmp" "$dir/var/tmp"
chmod 700 "$dir/root"
install -m 755 "${2:-$busybox}" "$dir/bin/busybox"
"$busybox" --list | while read -r applet; do
  [ "$applet" = busybox ] || ln -s busybox "$dir/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$dir/etc/passwd"
printf 'root:x:0:\ndaemon:x:1:\nusers:x:100:\nnobody:x:65534:\n' >"$dir/etc/group"

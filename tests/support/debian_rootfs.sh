#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# debian_rootfs.sh DIR: a minimal Debian 12 in DIR by debootstrap, from the package source of this machine, with the same
# sources and apt settings inside, so that apt-get works in it wherever it works here. FOREIGN=ARCH: packages of that architecture,
# unpacked only: `container=lxc /debootstrap/debootstrap --second-stage` configures them, where programs of ARCH run.
set -euo pipefail
dir=$1
mirror=$({ sed -nE 's/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list.d/*.sources
  sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list; } 2>/dev/null | sed -n 1p) || true
if [ -n "${FOREIGN:-}" ]; then
  debootstrap --foreign --arch="$FOREIGN" --variant=minbase bookworm "$dir" $mirror >"$dir.log" 2>&1 || { cat "$dir.log" >&2 && exit 1; }
  [ ! -L "$dir/proc" ] || { rm "$dir/proc" && mkdir "$dir/proc"; } # in a container, debootstrap makes it a link to itself
  rm -rf "$dir.log" "$dir"/dev/* && exit
fi
debootstrap --variant=minbase --include=ca-certificates bookworm "$dir" $mirror >"$dir.log" 2>&1 || { cat "$dir.log" >&2 && exit 1; }
rm -rf "$dir.log" "$dir/etc/apt/sources.list" "$dir"/dev/*
for part in sources.list sources.list.d apt.conf.d trusted.gpg.d keyrings preferences.d; do
  [ ! -e "/etc/apt/$part" ] || cp -rT "/etc/apt/$part" "$dir/etc/apt/$part"
done
cp -rT /usr/share/keyrings "$dir/usr/share/keyrings"
rm -rf "$dir"/var/{cache/apt/archives/*.deb,cache/apt/*.bin,lib/apt/lists/*,log/*.log}
printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
chmod 755 "$dir/usr/sbin/policy-rc.d"

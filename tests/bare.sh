#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bare.sh [DIR]: the README's two commands on a machine where nothing was installed by hand. Makes a fresh Debian in DIR
# (default build/bare) by debootstrap, enters it by pivot_root in mount, pid, ipc and uts namespaces of its own (a chroot could
# not make user namespaces), with a copy of this checkout, and runs ./dev demo and ./dev test there. By hand, as root; takes
# as long as a full build and all tests. What lies beside the checkout is not copied.
set -euo pipefail
checkout=$(readlink -f "$(dirname "$0")/..")
dir=$(readlink -m "${1:-$checkout/build/bare}")
commands=${BARE_COMMANDS:-./dev demo && ./dev test}
[ "$(id -u)" = 0 ] || { echo "bare.sh: needs root" >&2 && exit 1; }
for tool in debootstrap unshare pivot_root; do
  command -v $tool >/dev/null || { echo "bare.sh: $tool is missing: run ./dev setup" >&2 && exit 1; }
done

rm -rf "$dir"
mkdir -p "$dir"
"$checkout/tests/support/debian_rootfs.sh" "$dir/rootfs"
rm -f "$dir/rootfs/usr/sbin/policy-rc.d"
cp -L /etc/resolv.conf /etc/hosts "$dir/rootfs/etc/"
mkdir -p "$dir/rootfs/src/checkout"
tar -C "$checkout" --exclude=./build --exclude=./.git -cf - . | tar -C "$dir/rootfs/src/checkout" -xf -

cat >"$dir/inside.sh" <<'S'
set -euo pipefail
mount --bind "$1" "$1"
cd "$1"
mkdir -p .old
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
hostname bare
cd /src/checkout
exec env -i HOME=/root TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -c "$2"
S
exec unshare --mount --pid --fork --ipc --uts --propagation private --kill-child bash "$dir/inside.sh" "$dir/rootfs" "$commands"

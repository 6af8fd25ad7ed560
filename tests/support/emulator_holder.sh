#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# emulator_holder.sh QEMU ASKS ANSWERS: in a user and mount namespace of its own, registers QEMU for arm64 programs there, and
# stays, so that the namespace does. ASKS and ANSWERS are pipes: who started it has to write the ids of the namespace.
qemu=$1 asks=$2 answers=$3
# The head of an ELF file for aarch64, and which of its bits count: the system's ABI and whether it is a PIE do not.
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
echo there >"$asks" && read -r _ <"$answers"
# F: the kernel keeps the emulator open, so it need not be in the root of a step. P: the program hears the name it was called by
# (busybox asks). C: setuid counts.
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc &&
  printf %s ":mybuild-arm64:M::$magic:$mask:$qemu:POCF" >/proc/sys/fs/binfmt_misc/register || { echo no >"$asks" && exit 1; }
echo ready >"$asks"
exec sleep infinity

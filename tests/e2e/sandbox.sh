#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a step sees and may do: namespaces of its own, docker's capabilities and filter, no descriptor or variable of ours.
. "$(dirname "$0")/lib.sh"
dockerfile <<'D'
FROM busybox
RUN test $$ = 1 && echo "$(ls -d /proc/[0-9]* | wc -l)" >/processes
RUN cat /proc/self/status >/status; ls -l /proc/self/fd >/fds; env >/env
RUN for n in mnt pid ipc uts cgroup net; do readlink /proc/self/ns/$n; done >/namespaces
RUN ! mount -t tmpfs none /tmp && ! echo x >/proc/sys/kernel/hostname
RUN head -c 1 /proc/kcore | wc -c >/kcore; cat /etc/hosts >/hosts.seen; cat /etc/resolv.conf >/resolv.seen
ARG disk
RUN ! mkdir /sys/fs/x && ! busybox unshare -r true && mknod /dev/disk b $disk && ! head -c 1 /dev/disk
RUN (sleep 60.375; touch /late) & true
D
export LEAK=secret
disk=$(awk 'NR == 3 { print $1, $2 }' /proc/partitions) # a block device of the machine
exec 7<ctx/Dockerfile
assert_below "$(milliseconds build_tree --build-arg "disk=$disk" ctx)" 20000 "milliseconds: a process left running ends with its step"
! pgrep -af "sleep 60\.375" || fail "a process outlived its step"
grep -qi '^CapEff:.*00000000a80425fb$' out/status || fail "capabilities: $(grep Cap out/status)"
grep -q '^Seccomp:.*2$' out/status || fail "no seccomp filter"
grep -q '^NoNewPrivs:.*0$' out/status || fail "no_new_privs is set"
[ "$(grep -c ' [0-9]* -> ' out/fds)" -le 4 ] || fail "descriptors beside three and the folder of ls: $(cat out/fds)"
! grep -q LEAK out/env || fail "our environment is seen"
for n in mnt pid ipc uts cgroup; do ! grep -qF "$(readlink /proc/self/ns/$n)" out/namespaces || fail "$n namespace is the host's"; done
grep -q "$(readlink /proc/self/ns/net | tr -d '[]')" <(tr -d '[]' <out/namespaces) || fail "the network is not the host's"
assert_file out/kcore 0
grep -q '^127.0.0.1.*localhost' out/hosts.seen || fail "hosts: $(cat out/hosts.seen)"
cmp out/resolv.seen /etc/resolv.conf || fail "resolv.conf is not the host's"

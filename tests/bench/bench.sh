#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bench.sh MYBUILD DIR [RUNS]: three workloads, side by side with `buildah build --layers`, as a table of mean times.
#   W1  one hello: FROM, COPY, RUN, from an empty state     W2  20 steps, all cached     W6  50 RUN steps, cost of each
# State lives on a journalled ext4 in a loop device where one can be made: on a file system without a journal the kernel
# keeps off freshly deleted inodes, and every "rm -rf" between two runs would slow the next one down.
set -euo pipefail
mybuild=$1 dir=$2 runs=${3:-10}
support=$(readlink -f "$(dirname "$0")/../support")
mkdir -p "$dir"
cd "$dir"
state=$PWD/state

mount_state() {
  mkdir -p "$state"
  mountpoint -q "$state" && return
  truncate -s 8G state.img
  mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 state.img
  mount -o loop,noatime state.img "$state" 2>/dev/null || echo "bench: no loop device, the state is on $(stat -f -c %T .)" >&2
}
unmount_state() { ! mountpoint -q "$state" || umount "$state"; rm -f state.img; }

make_workloads() {
  "$support/busybox_rootfs.sh" rootfs
  "$support/oci_layout.sh" busybox rootfs
  rm -rf w1 w2 w6 && mkdir w1 w2 w6
  echo "hello world" >w1/hello.txt
  printf 'FROM base\nCOPY hello.txt /hello.txt\nRUN echo built >/built.txt\nCMD ["cat", "/hello.txt"]\n' >w1/Dockerfile
  { echo "FROM base"
    for i in 1 2 3 4 5; do echo "ENV V$i=$i"; done
    for i in 1 2 3 4 5 6 7; do printf 'COPY f%d.txt /app/f%d.txt\nRUN cat /app/f%d.txt >/app/out%d\n' $i $i $i $i; done
    printf 'WORKDIR /app\nCMD ["sh"]\n'; } >w2/Dockerfile
  for i in 1 2 3 4 5 6 7; do echo "file $i" >w2/f$i.txt; done
  { echo "FROM base"; for i in $(seq 50); do echo "RUN echo $i > /f$i"; done; } >w6/Dockerfile
  for w in w1 w2 w6; do # buildah 1.28 takes a layout in FROM, not as a named context
    cp -r $w buildah-$w && sed -i "s#^FROM base#FROM oci:$PWD/busybox:latest#" buildah-$w/Dockerfile
  done
}

# A tool is a build command with the workload's name put after it, and a command that empties its state.
mybuild_build() { echo "'$mybuild' --root '$state/mybuild' build --progress quiet --build-context base=oci-layout://$PWD/busybox -t $1 $1"; }
buildah_build() {
  echo "buildah --root '$state/buildah' --runroot '$state/buildah-run' --storage-driver overlay build --quiet --layers --network host" \
    "--runtime runc --ulimit nofile=$(ulimit -Hn):$(ulimit -Hn) -t $1 buildah-$1"
}
empty_state() { echo "rm -rf '$state/$1' '$state/$1-run'"; }

# measure TOOL WORKLOAD cold|warm: the mean in milliseconds, or "-" when the tool fails.
measure() {
  local command prepare=true times=$runs warmup=1
  command=$("$1_build" "$2")
  if [ "$3" = cold ]; then prepare=$(empty_state "$1") times=$(((runs + 2) / 3)) warmup=0; fi
  bash -c "$(empty_state "$1"); $command" >"$1-$2.log" 2>&1 || { echo - && return; }
  hyperfine -N --warmup $warmup --runs "$times" --prepare "$prepare" --export-json result.json "$command" >/dev/null 2>>"$1-$2.log" ||
    { echo - && return; }
  sed -nE 's/^ *"mean": ([0-9.e-]+),?/\1/p' result.json | awk '{ printf "%.1f\n", $1 * 1000 }'
}

row() { # TITLE WORKLOAD cold|warm DIVISOR
  local ours theirs
  ours=$(measure mybuild "$2" "$3")
  theirs=$(measure buildah "$2" "$3")
  awk -v title="$1" -v ours="$ours" -v theirs="$theirs" -v divisor="$4" 'function cell(t) { return t == "-" ? "-" : sprintf("%.1f ms", t / divisor) }
    BEGIN { printf "%-34s %12s %12s %9s\n", title, cell(ours), cell(theirs), ours == "-" || theirs == "-" ? "-" : sprintf("%.0f x", theirs / ours) }'
}

trap unmount_state EXIT
mount_state
rm -rf buildah-w*
make_workloads
printf '%-34s %12s %12s %9s\n' "" mybuild buildah ""
row "W1 hello, empty state" w1 cold 1
row "W1 hello, all cached" w1 warm 1
row "W2 20 steps, all cached" w2 warm 1
row "W6 50 RUN steps, per step" w6 cold 50

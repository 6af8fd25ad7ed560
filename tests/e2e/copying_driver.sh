#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In a container whose root is an overlay, overlayfs cannot take an upper directory: a copying driver gives the same result.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
COPY --chmod=755 data /data
RUN rm /data/gone && rm -rf /usr && mkdir /usr && ln /data/kept /data/link && chmod 700 /data/dir && mv /home /house
RUN --mount=type=bind,from=busybox,source=/bin,target=/m ls /m | wc -l >/bound && touch -d "2001-01-01 00:00:00" /bound
RUN rm -rf /data/dir && mkdir /data/dir && echo new >/data/dir/new && touch -d "2001-01-01 00:00:00" /new
RUN find / -xdev -type f -o -type l -o -type d | sort | grep -vE '^/(proc|sys|dev|tmp)' >/tmp/names && xargs stat -c '%n %F %a %h' </tmp/names | sed '/ directory /s/ [0-9]*$//' >/list && rm /tmp/names
D
mkdir -p ctx/data/dir && touch ctx/data/{gone,kept,dir/old}
build_tree ctx && mv out on-overlay
cat >inside.sh <<'S'
mkdir upper work merged && mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work merged && cd merged
for dir in proc sys dev; do mount --rbind /$dir $dir; done
mkdir -p ".$1" ".$2" .old && mount --rbind "$1" ".$1" && mount --bind "$2" ".$2"
pivot_root . .old && umount -l /.old && rmdir /.old && cd "$1" && mkdir /var/tmp/state
MYBUILD_ROOT=/var/tmp/state exec "${@:3}"
S
mkdir nest
unshare --mount --propagation private bash -ec 'mount -t tmpfs tmpfs nest && cd nest && . ../inside.sh' - "$work" "$bases" \
  "$MYBUILD" build --progress plain "${busybox[@]}" -o type=local,dest=out ctx >log 2>&1 || fail "the build in an overlay"
assert_step "COPY --chmod" DONE
diff on-overlay/list out/list || fail "the trees differ"
assert_equal "$(ls out/data out/data/dir | tr '\n' ' ')" "$(ls on-overlay/data on-overlay/data/dir | tr '\n' ' ' | sed s/on-overlay/out/g)"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# RUN --mount=type=cache: what is one cache and what is another, where one starts from, and who waits for whom.
. "$(dirname "$0")/lib.sh"
dockerfile <<'D'
FROM busybox AS seed
RUN mkdir -p /seed/sub && echo s >/seed/f && ln /seed/f /seed/h && chown -R 3:4 /seed && chmod 711 /seed
FROM busybox
RUN --mount=type=cache,target=/c,id=a mkdir -m 700 /there && touch /c/in-a
RUN --mount=type=cache,target=/d,id=a ls /d >>/o
RUN --mount=type=cache,target=/c,id=a,uid=5,gid=6,mode=0700 ls /c >>/o; stat -c '%a %u:%g' /c >>/o
RUN --mount=type=cache,target=/c,id=b,sharing=locked --mount=type=cache,target=/d,id=b,sharing=locked touch /c/1; ls /d >>/o
RUN --mount=type=cache,target=/c,from=seed,source=/seed stat -c '%a %u:%g %h' /c /c/f >>/o; echo changed >/c/f; rm -r /c/sub
RUN --mount=type=cache,target=/c,from=seed,source=/seed ls /c >>/o; cat /c/h >>/o
RUN --mount=type=cache,target=/c,from=seed,source=/seed/f,id=file cat /c >>/o
RUN --mount=type=tmpfs,target=/there --mount=type=tmpfs,target=/new stat -c '%a' /there /new >>/o
D
build_tree ctx
assert_equal "$(xargs <out/o)" "in-a 700 5:6 1 711 3:4 3 644 3:4 2 f h changed s 700 1777" "what the mounts show"
printf 'FROM busybox\nRUN --mount=type=cache,source=/x,target=/c true\n' | dockerfile
build_fails ctx
assert_log 'source /x of the cache mount /c: not found'
# Who waits for a locked cache can be interrupted.
printf 'FROM busybox\nRUN --mount=type=cache,target=/c,sharing=locked echo holding; sleep 20\n' | dockerfile holder
printf 'FROM busybox\nRUN --mount=type=cache,target=/c,sharing=locked echo never\n' | dockerfile waiter
"$MYBUILD" build --progress plain "${busybox[@]}" holder >holder.log 2>&1 & holder=$!
until grep -q '[0-9] holding' holder.log; do sleep 0.05; done
timeout --foreground -s INT 1 "$MYBUILD" build --progress plain "${busybox[@]}" waiter >log 2>&1 && fail "it did not wait"
assert_no_log '[0-9] never'
kill $holder && ! wait $holder || fail "the holder was not stopped"

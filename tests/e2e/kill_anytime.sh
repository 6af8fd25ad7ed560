#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
# After kill -9 at any moment the next build works and is right, and nothing of the old one is left.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox AS one
COPY data /data
RUN for i in 1 2 3 4 5; do cp -r /data /copy$i; done; sleep 0.1
FROM busybox
COPY --from=one /copy3 /copy
RUN find /copy -type f | sort | xargs cat | sha256sum >/sum && sleep 0.1
RUN echo end >/end
D
mkdir ctx/data
for i in $(seq 200); do head -c 20000 /dev/urandom >"ctx/data/$i"; done
expected=$(cd ctx/data && find . -type f | sort | xargs cat | sha256sum)
rounds=12 && [ -z "${MYBUILD_SOAK:-}" ] || rounds=200
for round in $(seq $rounds); do
  "$MYBUILD" build "${busybox[@]}" -o type=oci,dest=image.tar -t image ctx >log 2>&1 &
  sleep "0.$(printf %03d $((RANDOM % 700)))"
  kill -9 $! 2>/dev/null && { wait $! 2>/dev/null || true; }
  [ $((round % 4)) != 0 ] || build -t image ctx
  [ $((round % 4)) != 0 ] || assert_equal "$(run image cat /sum)" "$expected" "round $round"
  [ $((round % 8)) != 0 ] || rm -rf "$MYBUILD_ROOT"
done
build -t image ctx
assert_equal "$(run image cat /sum /end | tail -n 1)" "end" "the result"

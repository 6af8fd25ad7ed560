#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# explain names the file, the argument, the variable, the mount option or the base image because of which a step ran.
. "$(dirname "$0")/lib.sh"
write() { # write BASE ENV MODE
  printf 'FROM %s\nARG VERSION=1\nENV COLOUR=%s\nCOPY src /src\nRUN echo "$VERSION"\nRUN --mount=type=cache,target=/c,mode=%s ls /src\n' "$@" | dockerfile
}
explained() { build "${@:1:$#-1}" --explain ctx && grep -qF -- "${@: -1}" log || fail "explain does not say: ${*: -1}"; }
mkdir -p ctx/src && echo 1 | tee ctx/src/a >ctx/src/b && write busybox red 0755
explained "nothing like it was built here before"
explained "3 of 3 steps found"
echo 2 >ctx/src/a
explained "src/a changed"
assert_log 'the cause lies further up, in .*COPY src'
echo 3 >ctx/src/a && chmod 700 ctx/src/b && touch ctx/src/c
explained "src/a changed (and 2 more files)"
explained --build-arg VERSION=2 'build argument VERSION: was "1", is "2"'
write busybox blue 0755
explained --build-arg VERSION=2 'environment variable COLOUR: was "red", is "blue"'
write busybox blue 0700
explained --build-arg VERSION=2 'the mount /c:'
explained --build-arg VERSION=2 --no-cache "it was asked to run again"
printf 'FROM busybox\nRUN echo other >/other\n' | dockerfile base && build -t other-base base
write other-base blue 0700
explained --build-arg VERSION=2 'the base image: was busybox (sha256:'
echo 'RUN false' >>ctx/Dockerfile && build_fails --build-arg VERSION=2 ctx && "$MYBUILD" explain >log
assert_log '^failed +.*RUN false' && assert_log 'no earlier build had this step' && assert_log '^it failed: '
assert_equal "$("$MYBUILD" explain --format json | jq -r '.steps[-1].reason')" unlike "JSON"
oldest=$("$MYBUILD" explain --list --format '{{.ID}}' | tail -n 1)
"$MYBUILD" explain "$oldest" | grep '0 of 3 steps' >/dev/null && ! "$MYBUILD" explain nosuch 2>log && assert_log 'the newest builds are'

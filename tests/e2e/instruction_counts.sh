#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds in which everything is cached take no more instructions than tests/bench/instructions/budget.json allows, by callgrind.
. "$(dirname "$0")/lib.sh"
command -v valgrind >log || skip "needs valgrind"

dockerfile hello <<<$'FROM busybox\nCOPY hello.txt /hello.txt\nRUN echo built > /built.txt\nCMD ["cat", "/hello.txt"]'
echo hello >hello/hello.txt
{
  echo "FROM busybox"
  for n in 1 2 3 4 5; do echo "ENV V$n=$n"; done
  for n in 1 2 3 4 5 6 7; do printf 'COPY f%d.txt /app/f%d.txt\nRUN cat /app/f%d.txt > /app/out%d\n' $n $n $n $n; done
  printf 'WORKDIR /app\nCMD ["sh"]\n'
} | dockerfile twenty
for n in 1 2 3 4 5 6 7; do echo "file $n" >twenty/f$n.txt; done
dockerfile files <<<$'FROM busybox\nCOPY src /src'
for n in $(seq 20); do mkdir -p files/src/pkg$n && (cd files/src/pkg$n && for f in $(seq 100); do echo "$n $f" >module$f.txt; done); done
touch -d "1 hour ago" {hello,twenty,files}/* && find files/src -exec touch -d "1 hour ago" {} +

status=0
for name in hello twenty files; do
  export MYBUILD_ROOT=$work/$name.root # nothing of the others in its database
  build -t "$name" "$name" && build -t "$name" "$name"
  assert_step COPY CACHED
  "$checkout/tests/bench/instructions/count.py" "$name" "$MYBUILD" build --progress plain "${busybox[@]}" -t "$name" "$name" || status=$?
  [ ! -f callgrind.out ] || mv callgrind.out "$E2E_WORK/$name.callgrind"
done
rm log
[ $status = 0 ] || [ $status = 77 ] || fail "the budget of instructions does not hold; all of it: callgrind_annotate --inclusive=yes $E2E_WORK/hello.callgrind"
exit $status

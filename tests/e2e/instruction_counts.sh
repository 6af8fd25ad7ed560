#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds in which everything is cached take no more instructions than tests/bench/instructions/budget.json allows, by callgrind.
. "$(dirname "$0")/lib.sh"
command -v valgrind >log || skip "needs valgrind"
export HOME=$work CONTAINERS_REGISTRIES_CONF=$work/none # what this machine says of registries is in no budget
touch none && start_registry && push "$bases/busybox" busybox

mkdir -p hello twenty files pulled
printf '%s\n' "FROM busybox" "COPY f1.txt /hello.txt" "RUN echo built > /built.txt" 'CMD ["cat", "/hello.txt"]' >hello/Dockerfile
sed "s#^FROM #FROM $registry/#" hello/Dockerfile >pulled/Dockerfile
{
  printf '%s\n' "FROM busybox" "ENV V"{1..5}=1
  for n in {1..7}; do printf '%s\n' "COPY f$n.txt /app/f$n.txt" "RUN cat /app/f$n.txt > /app/out$n"; done
  printf '%s\n' "WORKDIR /app" 'CMD ["sh"]'
} >twenty/Dockerfile
for n in {1..7}; do echo "file $n" | tee {hello,pulled,twenty}/f"$n".txt >log; done
printf '%s\n' "FROM busybox" "COPY src /src" >files/Dockerfile
mkdir -p files/src/pkg{1..20} && for file in files/src/pkg{1..20}/module{1..100}.txt; do echo "$file" >"$file"; done
find . -type f -exec touch -d "1 hour ago" {} + # settled

count() { "$checkout/tests/bench/instructions/count.py" "$1" "$MYBUILD" build --progress plain "${busybox[@]}" -t "$1" "$1"; }
for name in hello twenty files pulled; do
  export MYBUILD_ROOT=$work/$name.root # nothing of the others in its database
  build -t "$name" "$name" && build -t "$name" "$name" && assert_step COPY CACHED
  count "$name" || { [ $? = 77 ] && exit 77; } || failed="$name ${failed:-}"
  cp callgrind.out "$E2E_WORK/$name.callgrind" && rm log
done
[ -z "${failed:-}" ] || fail "over or under the budget: $failed; see callgrind_annotate --inclusive=yes $E2E_WORK/NAME.callgrind"

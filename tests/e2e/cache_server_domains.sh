#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A branch cannot poison main through the store that both use on one machine: what was found on the word of the branch's namespace
# holds for builds of the branch. What ran here holds for all.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
main=$(serve_token cache) pr=$(serve_token cache --namespace pr --parent main)
printf 'FROM busybox\nRUN echo one >/one\nRUN cat /one >/two\n' | dockerfile
as() { # TOKEN ROOT [OPTION…]
  MYBUILD_CACHE_TOKEN=$1 "$MYBUILD" build --progress=plain --root "$2" --cache-server "http://$cache" "${busybox[@]}" -t "${3:-x}" ctx >log 2>&1 ||
    fail "build"
}
ran() { assert_equal "$(grep -c '^#[0-9]* DONE' <(grep -A1 'RUN ' log))" "$1"; }
as "$pr" "$work/elsewhere" && ran 2
as "$pr" "$work/runner" && ran 0
as "$pr" "$work/runner" && ran 0
as "$main" "$work/runner" && ran 2
as "$main" "$work/runner" && ran 0
as "$pr" "$work/runner" && ran 0
"$MYBUILD" build --progress=plain --root "$work/runner" "${busybox[@]}" ctx >log 2>&1 && ran 0 # which main's build made there
as "$pr" "$work/third" && "$MYBUILD" build --progress=plain --root "$work/third" "${busybox[@]}" ctx >log 2>&1 && ran 2

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tokens of `mybuild serve`: what each may do, for how long; made and ended while the server runs.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
# Tokens are made and ended while the server runs.
reader=$(serve_token cache --scope read --note reader --expires 1h)
assert_equal "$(token=$reader ask /v2/)" "200 {}"
assert_equal "$(token=$reader ask -X POST /v2/main/blobs/uploads/ | cut -c 1-4)" "403 "
branch=$(serve_token cache --namespace team/pr-1 --parent main)
assert_equal "$(token=$branch ask -X POST /v2/team/pr-1/blobs/uploads/ | cut -c 1-4)" "202 "
assert_equal "$(token=$branch ask -X POST /v2/main/blobs/uploads/ | cut -c 1-4)" "403 "
"$MYBUILD" serve token revoke --root "$work/cache" "$("$MYBUILD" serve token ls --root "$work/cache" | awk '/reader/ {print $1}')" >log
assert_equal "$(token=$reader ask /v2/ | cut -c 1-4)" "401 "

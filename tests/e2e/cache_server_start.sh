#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `mybuild serve` without configuration: what monitors ask, one server per directory, and a stop by SIGTERM.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
assert_equal "$(ask /healthz)" "200 ok"
assert_equal "$(ask /readyz)" "200 ready"
ask /metrics | grep -q '^mybuild_serve_requests_total{' || fail "no metrics: $(cat answer)"
assert_equal "$(stat -c %a cache cache/local-token)" "$(printf '700\n600')"
assert_equal "$(ask /v2/)" "200 {}"
assert_equal "$(token=mbt_wrong ask /v2/ | cut -c 1-4)" "401 "
"$MYBUILD" serve --root "$work/cache" --listen 127.0.0.1:0 >log 2>&1 && fail "two servers in one directory"
assert_log "another server has"
"$MYBUILD" serve --root "$work/other" --listen "$cache" >log 2>&1 && fail "two servers on one port"
assert_log "another server is there"
# An address that others reach takes no writes before there are tokens.
: >open.log; "$MYBUILD" serve --root "$work/open" --listen 0.0.0.0:0 >open.log 2>&1 & processes+=($!)
until grep -q '^listening' open.log; do sleep 0.05; done
grep -q 'no tokens' open.log && [ ! -e open/local-token ] || fail "$(<open.log)"
kill -TERM "$cache_pid" && wait "$cache_pid" || fail "SIGTERM gave $?"
[ -z "$(find runtime -name '*.token')" ] || fail "the token of a server that is gone"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The OCI distribution spec 1.1 asked of `mybuild serve`, rule by rule; each rule of the table has its test, and each case stands in the table.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
python3 "$support/../property/registry_conformance.py" --mybuild "$MYBUILD" --work "$work" >log 2>&1 || fail "not as the spec has it"
assert_log "^registry conformance, .* 0 wrong" && cat log

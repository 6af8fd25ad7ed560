#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# State directories of all earlier schemas open with their images and their cache; one of a later schema is refused by name and left alone.
. "$(dirname "$0")/lib.sh"
python3 "$support/../property/old_states.py" --mybuild "$MYBUILD" --base "$bases/busybox" --work "$work" --states "$checkout/testdata/states" >log 2>&1 ||
  fail "a state of another version"
assert_log "^states of other versions: 5 earlier schemas, 1 later schema; 0 wrong"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=3600
# Random edits of random contexts and Dockerfiles: a build with a cache gives what one from nothing gives. ./dev soak: thousands.
. "$(dirname "$0")/lib.sh"
seeds=1:5 edits=25 && [ -z "${MYBUILD_SOAK:-}" ] || edits=30 seeds=$((RANDOM * 1000)):150
python3 "$support/../property/naive.py" --mybuild "$MYBUILD" --base "$bases/busybox" --work "$work" --seeds $seeds --edits $edits >log 2>&1 ||
  fail "a result differs, or the model is broken"
cat log

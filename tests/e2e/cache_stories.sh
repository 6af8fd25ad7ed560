#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
# The caching bugs of other builders, each as a story of its own that ends well here (tests/property/cache_stories.py).
. "$(dirname "$0")/lib.sh"
python3 "$support/../property/cache_stories.py" "$MYBUILD" "$bases/busybox" "$work/stories" >log 2>&1 || fail "a story went wrong"
assert_log "^[0-9]+ stories, 0 wrong"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# RUN happens when the image is built, CMD each time it starts: make stamps a module, python prints it and its own time.
. "$(dirname "$0")/lib.sh"
. "$support/seeds.sh"

seed python
build -t program "${seed_bases[@]}" ctx/python
assert_log "sed .* /app/seeds.txt >/app/catalogue.py"
run program >first
run program >second
assert_equal "$(sed 1q first)" "3 seeds, the last is linseed" "what the program prints"
assert_equal "$(grep made second)" "$(grep made first)" "when make ran"
awk '{ at[FILENAME, $1] = $2 } END { exit !(at["first", "made"] < at["first", "started"] && at["first", "started"] < at["second", "started"]) }' \
  first second || fail "not in order: $(cat first second)"

build -t program "${seed_bases[@]}" ctx/python
assert_step "RUN make /app" CACHED
echo poppy >>ctx/python/seeds.txt
build -t program "${seed_bases[@]}" ctx/python
assert_step "RUN make /app" DONE
assert_equal "$(run program | sed 1q)" "4 seeds, the last is poppy" "after a seed more"

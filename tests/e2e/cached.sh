#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A second build of the same context runs nothing, in a fraction of the time, with the same result.
. "$(dirname "$0")/lib.sh"

hello=$checkout/testdata/hello
build -t hello "$hello"
assert_step "RUN tr" DONE
first=$(image_id -t hello "$hello")
build -t hello "$hello"
for step in "WORKDIR /press" "COPY banner" "RUN tr" "RUN while" "COPY --from" "COPY --chmod" "RUN hello"; do
  assert_step "$step" CACHED
done
assert_no_log '^#[0-9]+ [0-9.]+ '
assert_equal "$(image_id -t hello "$hello")" "$first" "image id"

# The cache is there for another process and another name, too.
build -t other "$hello"
assert_step "RUN hello" CACHED
run other >out
assert_equal "$(wc -l <out)" 4 "lines of the program"

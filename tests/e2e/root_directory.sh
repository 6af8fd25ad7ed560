#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No layer says anything of "/" itself: what a step does to its mode, owner or attributes ends with the step, as for docker, whatever
# was built before.
. "$(dirname "$0")/lib.sh"
show='RUN stat -c "%a %u" / >/r'
of() { # of COMMAND: what the next step sees of "/", and what the image's program sees
  printf 'FROM busybox\nRUN %s\n%s\n' "$1" "$show" | dockerfile
  build -t root ctx && echo "$("$MYBUILD" run --rm root sh -c 'cat /r; stat -c "%a %u" /' | xargs)"
}
assert_equal "$(of 'chmod 700 /')" "755 0 755 0" "a step that closes /"
assert_equal "$(of 'chmod 755 /')" "755 0 755 0" "the other mode"
assert_equal "$(of 'chown 5:6 / && chmod 777 /')" "755 0 755 0" "an owner"
assert_equal "$(of 'echo 1 >/f && touch -d @1 /f && chmod 700 /')" "755 0 755 0" "with a file"
assert_equal "$(of 'echo 1 >/f && touch -d @1 /f')" "755 0 755 0" "a build that never touches it"
# Within the step it counts.
printf 'FROM busybox\nRUN chmod 711 / && stat -c %%a / >/r\n' | dockerfile
build_tree ctx && assert_file out/r 711

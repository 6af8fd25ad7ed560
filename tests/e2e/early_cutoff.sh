#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A step that runs again and leaves the same files keeps its earlier layer, and what depends on it does not run.
. "$(dirname "$0")/lib.sh"
from() { printf '%s\n' "FROM busybox AS gen" "$@" "FROM busybox" "COPY --from=gen /g /g" "RUN cat /g/f >/after" | dockerfile; }
ran_alone() { assert_step "RUN .*$1" DONE && assert_step "RUN echo dep" CACHED && assert_step "COPY --from" CACHED && assert_step "RUN cat" CACHED; }
# generated SCRIPT: the stage of one step that runs the script with the file `in` of the context, and one that depends on it.
generated() { from "COPY in /in" "RUN --mount=type=bind,source=n,target=/n mkdir -p /g; wc -l </n >/g/f; ${1:-true}; : gen" "RUN echo dep >/g/dep"; }
mkdir ctx && echo a >ctx/in && echo a >ctx/n && generated && build_tree --iidfile one ctx && assert_step "RUN cat" DONE
# Another input, the same outcome; a step that is forced; the same files at another time; another text of the same command.
echo b >ctx/n && build_tree ctx && ran_alone gen && assert_file out/after 1
build --no-cache-filter gen ctx && assert_step "RUN .*gen" DONE && assert_step "COPY --from" CACHED && assert_step "RUN cat" CACHED
generated "touch -d @1000000000 /g/f" && build ctx && ran_alone gen
generated "ln /g/f /g/l; rm /g/l; chmod 600 /g/f; chmod 644 /g/f; mkdir /g/e; rmdir /g/e; echo x >/g/x; mv /g/x /g/y; rm /g/y" && build ctx && ran_alone gen
build -t image ctx && first=$(image_id ctx) && generated && build ctx && assert_equal "$(image_id ctx)" "$first" "the image of equal outcomes"
# What is no equal outcome: content, mode, owner, attribute, type, link, target, deletion, device, an empty directory.
for change in "echo 2 >/g/f" "chmod 600 /g/f" "chown 5 /g/f" "chown :5 /g/f" "rm /g/f; mkfifo /g/f; rm /g/f; ln -s /etc/group /g/f" "ln /g/f /g/h" \
  "ln -s a /g/s" "ln -s b /g/s" "rm /etc/group" "mknod /g/n c 1 3" "mknod /g/n c 1 5" "mkdir /g/e" "mkdir -m 700 /g/e" "rm -r /var"; do
  generated "$change" && build ctx && assert_step "RUN .*gen" DONE && assert_step "RUN echo dep" DONE
done
# The whole tree counts, not the step's change alone: the parent differs.
echo other >ctx/in && generated && build ctx && assert_step "COPY in" DONE && assert_step "RUN .*gen" DONE && assert_step "RUN echo dep" DONE
assert_step "RUN cat" CACHED # it sees /g alone

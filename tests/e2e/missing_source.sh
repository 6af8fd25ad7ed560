#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A source that is not there: the error says which, where in the Dockerfile, and the most likely reason.
. "$(dirname "$0")/lib.sh"
mkdir -p ctx/src/app ctx/secret && touch ctx/src/app/main.py ctx/requirements.txt ctx/a.log ctx/secret/key && ln -s a.log ctx/link
printf '# comment\n\n*.log\n!keep.log\n  secret/  \n' >ctx/.dockerignore
fails() { # INSTRUCTION HINT
  printf 'FROM busybox AS builder\nRUN mkdir -p /out && touch /out/app\nFROM busybox\n%s\n' "$1" | dockerfile
  build_fails ctx
  assert_log "Dockerfile:4"
  assert_log "^hint: $2$"
}
fails 'COPY requirement.txt /' 'did you mean requirements.txt\?'
assert_log 'ERROR: .*failed to calculate checksum of ref context: "/requirement.txt": not found$'
fails 'COPY scr/app/main.py /' 'did you mean src/app/main.py\?'
fails 'COPY ok* main.py /' 'did you mean src/app/main.py\?'
fails 'COPY a.log /' 'a.log is excluded by line 3 of .dockerignore: \*.log'
fails 'COPY link /' 'a.log is excluded by line 3 of .dockerignore: \*.log'
fails 'COPY secret/key /' 'secret/key is excluded by line 5 of .dockerignore: secret/'
fails 'RUN --mount=source=a.log,target=/x true' 'a.log is excluded by line 3 of .dockerignore: \*.log'
fails 'COPY --from=builder /out/ap /' 'did you mean out/app\?'
fails 'COPY --from=bulider /out/app /' 'did you mean builder\?'
echo '**/*.py' >ctx/Dockerfile.dockerignore
fails 'COPY src/app/main.py /' 'src/app/main.py is excluded by line 1 of Dockerfile.dockerignore: \*\*/\*.py'
printf 'FROM busybox\nRUN --mount=source=no*such,target=/x true\n' | dockerfile
build_fails ctx
assert_log '"/no\*such": not found'

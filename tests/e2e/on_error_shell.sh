#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --on-error: what a failed step left is kept as an image, or looked at in a shell, with its environment and mounts.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nENV A=from-env\nWORKDIR /w\nRUN echo before >/b\nRUN --mount=type=cache,target=/c,id=a --mount=type=secret,id=s echo in-cache >/c/f; echo half >/w/made; exit 3\n' | dockerfile
echo geheim >s && secret=(--secret id=s,src=s)
build_fails "${secret[@]}" ctx && assert_no_log "failed step's files" && assert_equal "$("$MYBUILD" images -aq | wc -l)" 0 "images by default"
build_fails "${secret[@]}" --on-error=keep -t named ctx && assert_log "^hint: the failed step's files are image sha256:[0-9a-f]{64}; look with .mybuild run --rm -it [0-9a-f]{12} /bin/sh"
id=$(grep -oE 'sha256:[0-9a-f]{64}; look' log | cut -c8-19)
assert_equal "$(run "$id" sh -c 'cat /b made; echo $A; pwd' | xargs)" "before half from-env /w" "the image"
! "$MYBUILD" inspect named >/dev/null 2>&1 || fail "a failed build has the name"
# It is no record: the same step runs, and fails, again; a step that only ends otherwise finds nothing of it.
build_fails "${secret[@]}" ctx && assert_log 'in-cache|exit code: 3' && assert_step 'echo half' ERROR
"$MYBUILD" build --on-error=shell ctx </dev/null >log 2>&1 && fail "a shell without a terminal" || assert_log '^ERROR: --on-error=shell needs a terminal on standard input'
cat >type.py <<'P'
import os, pty, sys
lines = [b"echo \"<$A $PWD $(cat /w/made /c/f /run/secrets/s | tr '\\n' ' ')$(tty | cut -c1-9)>\"\n", b"touch /w/more; exit 7\n"]
seen = b""
def read(fd):
    global seen
    data = os.read(fd, 4096)
    seen += data
    if lines and b"# " in seen:
        os.write(fd, lines.pop(0)); seen = b""
    return data
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read, lambda fd: b"")))
P
status=0; timeout 60 python3 type.py "$MYBUILD" build --progress plain --on-error=shell "${secret[@]}" "${busybox[@]}" ctx >log 2>&1 || status=$?
assert_equal $status 1 "the exit code of the failure" && assert_log '<from-env /w half in-cache geheim /dev/'
assert_equal "$(grep -c 'failed to build' log)" 1 "the failure is told once" && assert_log 'A shell in the files of the failed step'

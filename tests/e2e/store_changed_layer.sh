#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Somebody writes into a layer while a build reads it: an export notices and builds again, fsck finds it, and what steps made of the
# changed files is no cache.
. "$(dirname "$0")/lib.sh"
mkdir -p ctx/s && echo one >ctx/s/f1 && echo two >ctx/s/f2
printf 'FROM busybox\nCOPY s /s\nRUN sleep 3; cat /s/* >/all\nRUN cat /s/* >>/all\n' | dockerfile
export SOURCE_DATE_EPOCH=1
archive=(-o "type=oci,dest=c.tar,rewrite-timestamp=true")
build --root "$work/reference" "${archive[@]}" ctx && wanted=$(sha256sum <c.tar) && rm -r reference
while_it_runs() { # ARGS…: the build, during which f2 is changed
  rm -rf "$MYBUILD_ROOT" c.tar
  "$MYBUILD" build --progress plain "${busybox[@]}" "$@" ctx >log 2>&1 & local builder=$! file
  until file=$(ls "$MYBUILD_ROOT"/layers/*/fs/s/f2 2>/dev/null); do sleep 0.05; done
  sleep 0.7 && echo evil >"$file" && wait $builder || fail "the build during which a layer is changed"
}
while_it_runs "${archive[@]}"
assert_log "a damaged part of the store was found and removed; building again"
assert_equal "$(sha256sum <c.tar)" "$wanted" "an archive made while a layer was changed"
"$MYBUILD" fsck >log || fail "the store afterwards"
while_it_runs -t image # nothing is packed, so nothing is noticed yet
code=0 && "$MYBUILD" fsck --repair >log 2>&1 || code=$?
assert_equal $code 0 "fsck --repair" && assert_log "its files are not those it was made with .removed."
build -t image ctx && assert_step "RUN sleep" DONE
assert_equal "$(run image cat /all | tr '\n' ' ')" "one two one two " "the image after fsck --repair"
while_it_runs -t image
! run image true 2>log || fail "a changed image is run"
assert_log "the files of layer .* were changed by something else than mybuild"
build -t image ctx && assert_equal "$(run image cat /all | tr '\n' ' ')" "one two one two " "the image after the run that found it"

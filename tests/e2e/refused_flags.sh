#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# An option that docker knows and we do not have yet is refused by name, never ignored; so is one that nobody knows.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\n' | dockerfile
for flag in --cache-from=type=gha --cache-to=type=s3,bucket=x --cache-to=type=inline,mode=max --squash --sbom=true --provenance=true \
  --allow=network.all --attest=type=sbom --cgroup-parent=x --no-such-flag; do
  status=0
  "$MYBUILD" build "${busybox[@]}" "$flag" ctx >log 2>&1 || status=$?
  [ $status != 0 ] || fail "$flag was taken"
  assert_log "${flag%%=*}"
done
for output in type=nonsense type=oci,dest=x,compression=lzma type=local type=oci,push=true; do
  status=0
  "$MYBUILD" build "${busybox[@]}" -o "$output" ctx >log 2>&1 || status=$?
  [ $status != 0 ] || fail "-o $output was taken"
done
"$MYBUILD" build --help >log 2>&1 || fail "--help"
for flag in --file --tag --build-arg --target --platform --label --no-cache --build-context --output --progress --quiet \
  --iidfile --metadata-file; do
  assert_log "$flag"
done

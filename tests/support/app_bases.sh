#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# app_bases.sh DEBIAN DIR: the bases of testdata/seeds as OCI layouts in DIR: node (tag 14-alpine), java (8), ubuntu (18.04);
# and the file npm-registry, where npm gets its packages from. mybuild installs Debian's packages for them on the OCI layout
# DEBIAN, so that the three share its layer.
set -euo pipefail
debian=$1 dir=$2
here=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")")
MYBUILD=${MYBUILD:-$here/../../build/release/bin/mybuild}
mkdir -p "$dir"
export MYBUILD_ROOT=$dir/root
for name in node:14-alpine java:8 ubuntu:18.04; do
  base=${name%:*}
  "$MYBUILD" build --progress plain --build-context "debian=oci-layout://$debian" --target "$base" \
    -o "type=oci,dest=$dir/$base,tar=false,name=$name" "$here/app_bases" >"$dir/log" 2>&1 || { cat "$dir/log" >&2 && exit 1; }
done
"$MYBUILD" build -q -t node --build-context "debian=oci-layout://$debian" --target node "$here/app_bases" >"$dir/log"
"$MYBUILD" run --rm node npm config get registry >"$dir/npm-registry"
rm -rf "$MYBUILD_ROOT" "$dir/log"

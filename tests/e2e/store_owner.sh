#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A store belongs to one user: new ones are closed to others, those of others are refused by name, and a directory with other files is none.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nRUN echo 1 >/f\n' | dockerfile && build -t image ctx
assert_equal "$(stat -c %a "$MYBUILD_ROOT")" 700 "mode of a new store"
others() { find "$MYBUILD_ROOT" -maxdepth 1 -mindepth 1 -type d -perm /077 ! -name blobs ! -name ingest; }
assert_equal "$(others)" "" "folders that others may enter"
refused() { # WORDS COMMAND…
  code=0 && "${@:2}" >log 2>&1 || code=$?
  [ $code != 0 ] && [ $code -lt 126 ] || fail "${*:2}: exit code $code" && assert_log "$1"
}
chown 12345 "$MYBUILD_ROOT"
for verb in images du "ps -a" "run image true" "build ${busybox[*]} ctx" "rmi image"; do
  refused "$MYBUILD_ROOT belongs to user 12345, this is user 0" "$MYBUILD" $verb # words
done
chown 0 "$MYBUILD_ROOT" && chmod 755 "$work" && cp "$MYBUILD"* "$work" && chmod 755 "$work/mybuild"*
refused "$MYBUILD_ROOT" setpriv --reuid 12345 --regid 12345 --clear-groups "$work/mybuild" images
assert_equal "$(run image cat /f)" 1 "the store afterwards"
mkdir -p files/tmp/mine files/trash && echo kept | tee files/tmp/mine/file files/trash/file >files/notes
refused "files is no state directory of mybuild: it has other" "$MYBUILD" images --root "$work/files"
cp -r "$bases/busybox" layout && refused "layout is no state directory" "$MYBUILD" images --root "$work/layout"
assert_equal "$(cat files/tmp/mine/file files/trash/file files/notes | uniq -c | tr -d ' ')" 3kept "files that are not ours"

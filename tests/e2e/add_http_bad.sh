#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ADD from servers that do what they should not: one clear error each, at the line of the ADD, and nothing left in the store.
[ -n "${OWN_MOUNTS:-}" ] || [ "$(id -u)" != 0 ] || exec unshare --mount env OWN_MOUNTS=1 bash "$0"
. "$(dirname "$0")/lib.sh"
. "$support/nginx.sh"

start_nginx && echo hello >www/f.txt
python3 "$support/hostile_http.py" >hostile & processes+=($!)
until [ -s hostile ]; do sleep 0.05; done
refuses() { # URL TEXT [FLAGS OF ADD]
  printf 'FROM busybox\nADD %s %s /dest/\n' "${3:-}" "$1" | dockerfile && build_fails ctx
  assert_log "$2" && assert_log "Dockerfile:2" && assert_log "${1%%\?*}"
  [ ! -d "$MYBUILD_ROOT" ] || assert_equal "$(find "$MYBUILD_ROOT" -path '*/ingest/*')" "" "drafts after $1"
}

refuses "$(<hostile)/missing?key=hidden" "404 Not Found: there is nothing"
refuses "$(<hostile)/loop" "10\) redirects"
refuses "$(<hostile)/short" "ends early, after 10 of 100 bytes"
refuses "$(<hostile)/headers-endless" "bytes of headers"
refuses "$(<hostile)/redirect-file" "only http and https"
refuses "http://127.0.0.1:1/x" "connect"
refuses "http://$web/f.txt" "digest mismatch" "--checksum=sha256:$(printf '%064d' 0)"
refuses "https://$web_tls/f.txt" "SSL_CERT_FILE"
for url in "https://$web_tls/plain-please" "http://$web/up-and-down"; do
  SSL_CERT_FILE=$work/web.pem refuses "$url" "never left for http"
done
mkdir small && mount -t tmpfs -o size=64m tmpfs small
MYBUILD_ROOT=$work/small/root refuses "$(<hostile)/endless" "No space left"
umount small

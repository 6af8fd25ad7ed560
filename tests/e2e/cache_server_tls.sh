#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `mybuild serve` under TLS and on a unix socket: real clients, old protocols, plain HTTP at the wrong door, files that do not fit.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
. "$support/cache_server.sh"
make_authority ca && make_certificate server ca && make_certificate other ca
start_cache cache --tls-cert server.pem --tls-key server.key
curl() { command curl -sS --noproxy '*' --cacert ca.pem -H "Authorization: Bearer $token" -o answer -w '%{http_code}' "$@" 2>log || true; }
assert_equal "$(curl "https://$cache/v2/")" 200
assert_equal "$(curl --tls-max 1.2 "https://$cache/v2/") $(curl --tlsv1.3 "https://$cache/v2/")" "200 200"
assert_equal "$(curl --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0 "https://$cache/v2/")" 000 && assert_log alert
assert_equal "$(curl "http://$cache/v2/")" 000 # what is no TLS is hung up on
mkdir certs && cp ca.pem certs/ca.crt
skopeo copy -q --dest-cert-dir certs --dest-creds "me:$token" "oci:$bases/busybox" "docker://$cache/team/busybox:1" 2>log || fail "skopeo push"
skopeo copy -q --src-cert-dir certs --src-creds "me:$token" "docker://$cache/team/busybox:1" oci:back:1 2>log || fail "skopeo pull"
skopeo inspect --creds "me:$token" "docker://$cache/team/busybox:1" >log 2>&1 && fail "an unknown authority"
assert_equal "$(oci_digest back)" "$(oci_digest "$bases/busybox")"
# Files that are missing, no PEM, another's, or locked end the start with their names.
openssl rsa -aes128 -passout pass:x -in server.key -out locked.key 2>/dev/null && echo no >no.pem
refused() { timeout 10 "$MYBUILD" serve --root "$work/x" --listen 127.0.0.1:0 --tls-cert "$1" --tls-key "$2" >log 2>&1 && fail "with $1 $2"; assert_log "$3"; }
refused none.pem server.key "none.pem: No such file" && refused server.pem none.key "none.key: No such file"
refused no.pem server.key "no.pem: no start line" && refused server.pem other.key "other.key: key values mismatch"
refused server.pem locked.key "ERROR: locked.key: " && ! grep -q 'Enter PEM' log || fail "it asked"
"$MYBUILD" serve --root "$work/x" --tls-cert server.pem >log 2>&1 && fail "without a key"
"$MYBUILD" serve --root "$work/unix" --listen "unix:$work/s.sock" >unix.log 2>&1 & processes+=($!)
until grep -q '^listening on unix:' unix.log; do sleep 0.02; done
token=$(<s.sock.token) && assert_equal "$(stat -c %a s.sock s.sock.token)" "$(printf '600\n600')"
assert_equal "$(curl --unix-socket s.sock http://x/v2/)" 200 && kill "${processes[-1]}" && wait "${processes[-1]}"
[ ! -e s.sock ] && [ ! -e s.sock.token ] || fail "the socket of a server that is gone"

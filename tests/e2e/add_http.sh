#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ADD of files behind URLs from a real web server: name, mode and time; asked again, not fetched again; checksums; logins; TLS.
. "$(dirname "$0")/lib.sh"
. "$support/nginx.sh"

start_nginx
seq 1000 >www/f.txt && touch -d @1000000000 www/f.txt && tar -C www -czf www/a.tar.gz f.txt && cp www/f.txt www/private/
add() { printf 'FROM busybox\nADD %s /dest/\nRUN stat -c "%%a %%u %%g %%Y" /dest/* >/stat\n' "$1" | dockerfile; }
requests() { sleep 0.3 && wc -l <access.log; }  # nginx writes a line when the answer is out

add "http://$web/f.txt" && build_tree ctx
cmp www/f.txt out/dest/f.txt && assert_file out/stat "600 0 0 1000000000"
build ctx && assert_step "ADD http" CACHED
assert_equal "$(requests) $(tail -n 1 access.log)" "2 GET /f.txt 304 0" "the second build"
echo changed >www/f.txt && build_tree ctx && assert_file out/dest/f.txt changed

sum=sha256:$(sha256sum www/a.tar.gz | cut -d' ' -f1) before=$(requests)
add "--checksum=$sum http://$web/a.tar.gz" && build_tree ctx && cmp www/a.tar.gz out/dest/a.tar.gz
assert_equal "$(requests)" $((before + 1)) "requests with a checksum"
build --no-cache ctx && assert_equal "$(requests)" $((before + 1)) "requests with a known checksum"
add "--unpack=true http://$web/a.tar.gz" && build_tree ctx && assert_equal "$(tail -n 1 out/dest/f.txt)" 1000 "unpacked"

add "http://$web/private/f.txt" && build_fails ctx && assert_log "401" && assert_log "HTTP_AUTH_TOKEN_127.0.0.1"
TOKEN=t0ken build_tree --secret id=HTTP_AUTH_TOKEN_127.0.0.1,env=TOKEN ctx && cmp www/private/f.txt out/dest/f.txt
build_fails ctx && ! grep -rl t0ken "$MYBUILD_ROOT" log || fail "the token was kept"
add "https://$web_tls/f.txt" && SSL_CERT_FILE=$work/web.pem build_tree ctx && assert_file out/dest/f.txt changed

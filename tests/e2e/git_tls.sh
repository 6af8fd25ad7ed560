#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Git over https: a certificate that does not verify ends it before anything is said, a token above all, also when the store has
# the commit already; one that SSL_CERT_FILE vouches for is good, for the hosts that it names.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
repository app && printf 'FROM scratch\nCOPY . /\n' >app/Dockerfile && echo file >app/f && publish app >publish.log
start_git git && git=${git%/smart} && printf sesame >token
openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
tls=$(free_port) && mkdir www && start_web web www <<C
listen 127.0.0.1:$tls ssl; ssl_certificate $work/cert; ssl_certificate_key $work/key; location / { proxy_pass $git; }
C
refused() { # URL: fails for its certificate, and the server has heard nothing
  local before
  before=$(git_requests "$git" | grep -c '')
  build_fails --secret id=GIT_AUTH_TOKEN,src=token "$1" && assert_log 'ERROR: .*certificate' && assert_log '^hint: .*SSL_CERT_FILE'
  assert_equal "$(git_requests "$git" | grep -c '')" "$before" "the requests of $1"
}
build_tree "$git/smart/app.git" && assert_file out/f file
refused "https://localhost:$tls/auth/app.git" && refused "https://localhost:$tls/smart/app.git#main"
export SSL_CERT_FILE=$work/cert
build_tree --secret id=GIT_AUTH_TOKEN,src=token "https://localhost:$tls/auth/app.git?keep-git-dir=1" && assert_file out/f file
refused "https://127.0.0.1:$tls/auth/app.git" # the certificate names another host
printf 'FROM scratch\nADD https://localhost:%s/smart/app.git /a/\n' "$tls" | dockerfile && build_tree ctx && assert_file out/a/f file

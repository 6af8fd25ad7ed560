#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tokens for git and web servers: they reach the host that they are for and no other, and are kept nowhere.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
mkdir www && printf 'FROM scratch\nCOPY . /\n' >www/Dockerfile && echo file >www/f && repository app && cp www/* app && publish app >publish.log
start_web other www <<<''
start_web web www <<C
location /away/ { return 302 ${other/127.0.0.1/localhost}/f; }
location /private/ { if (\$http_authorization != "Bearer canary-http") { return 401; } alias $work/www/; }
C
start_git git
git=${git%/smart} && printf sesame >git.token && printf canary-http >http.token && printf 'basic %s' "$(base64 <<<canary-no)" >wrong
for secret in GIT_AUTH_TOKEN "GIT_AUTH_TOKEN.${git#http://}"; do
  build_tree --secret "id=$secret,src=git.token" "$git/auth/app.git?keep-git-dir=1" && ! grep -r sesame out || fail "$secret, or it is in .git"
done
base=$(printf x-access-token:sesame | base64) && printf 'basic %s' "$base" >header && build_tree --secret id=GIT_AUTH_HEADER,src=header "$git/auth/app.git"
printf 'FROM scratch\nADD %s/auth/app.git /o/\nADD %s/private/f /p\nCOPY --from=n f /n\nCOPY --from=w context /w\n' "$git" "$web" | dockerfile
http=(--secret id=HTTP_AUTH_TOKEN_127.0.0.1,src=http.token) && tokens=(--secret id=GIT_AUTH_TOKEN,src=git.token "${http[@]}")
build --iidfile id "${tokens[@]}" --build-context "n=$git/auth/app.git" --build-context "w=$web/private/f" ctx
build_tree "${http[@]}" "$web/private/Dockerfile" && build_tree "${http[@]}" -f "$web/private/Dockerfile" www
# Sent elsewhere, to another name of this host: what that answers is for who has no token.
before=$(git_requests "$git" | grep -c '') && build_fails "${tokens[@]}" "$git/away/app.git" && : >other.requests
! git_requests "$git" | tail -n +$((before + 1)) | grep '^/auth/.* auth' || fail "another git server saw a token"
printf 'FROM scratch\nADD %s/away/f /\n' "$web" | dockerfile && build_tree "${tokens[@]}" ctx && assert_file other.requests "GET /f 200 -|-|-"
build_fails "$git/auth/app.git" && assert_log 'hint: .*GIT_AUTH_TOKEN' && build_fails --secret id=GIT_AUTH_HEADER,src=wrong "$git/auth/app.git"
build_fails --secret "id=GIT_AUTH_TOKEN.other,src=git.token" "$git/auth/app.git"
build_fails "$web/private/Dockerfile" && assert_log 'hint: .*HTTP_AUTH_TOKEN'
! grep -raE "sesame|canary-|$base" "$MYBUILD_ROOT" log || fail "a token is left"
! { "$MYBUILD" inspect "$(cat id)"; "$MYBUILD" history --no-trunc "$(cat id)"; } | grep -E 'sesame|canary-' || fail "a token is shown"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A push and a pull that take several times as long as a token lives: new tokens come from the login, which no other host sees.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
login() { mkdir -p home/.docker && echo "{\"auths\": {\"$1\": {\"auth\": \"$(printf me:secret | base64)\"}}}" >home/.docker/config.json; }
renewed() {
  assert_equal "$(grep -vc '^GET me repository:team/app:pull' asked.log)" 0 "other requests for tokens than ours: $(cat asked.log)"
  [ "$(wc -l <asked.log)" -ge 3 ] || fail "tokens were asked for $(wc -l <asked.log) times, $1"
}
start_token_registry 2
start_slow registry "$registry" 1500000 && app=$slow/team/app:1 && login "$slow"
printf 'FROM busybox\n%s' "$(for i in $(seq 12); do echo "RUN head -c 1000000 /dev/urandom >/$i"; done)" | dockerfile && build -t "$app" ctx
: >asked.log && "$MYBUILD" push "$app" >out 2>log || fail "push" && renewed "push"
# The same registry, which sends who pulls to another host for the blobs.
port=$(free_port) && { python3 -m http.server "$port" --bind 127.0.0.1 --directory token >web.log 2>&1 & processes+=($!); }
start_slow web "127.0.0.1:$port" 1500000
serve_registry token "" "$(tail -n 1 token.yml)"$'\n'"middleware: {storage: [{name: redirect, options: {baseurl: \"http://$slow\"}}]}"
start_slow registry2 "$registry" 1000000 && rm -rf "$MYBUILD_ROOT" && : >asked.log && login "$slow"
"$MYBUILD" pull "$slow/team/app:1" >out 2>log || fail "pull" && renewed "pull"
assert_equal "$(grep -c '"GET /docker/registry/v2/blobs/.* 200' web.log)" 14 "blobs from the other host"
assert_file web.logins "" && [ "$(cat registry.logins registry2.logins | grep -c .)" -gt 20 ] || fail "no logins were seen"
! cat registry.logins registry2.logins | grep -v "^Bearer ey" || fail "the registry got more than a token"

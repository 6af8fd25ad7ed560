#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A registry whose tokens live for a few seconds: anybody pulls what is public, the login is for the rest, and a push outlives many.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
start_token_registry 4 # less would end before it is used on a busy machine
printf 'FROM busybox\n%s' "$(for i in 1 2 3; do echo "RUN head -c 20000000 /dev/urandom >/$i"; done)" | dockerfile
build -t "$registry/public/app:1" ctx && "$MYBUILD" tag "$registry/public/app:1" "$registry/private/app:1"
! "$MYBUILD" push "$registry/public/app:1" >out 2>log && assert_log "mybuild login $registry" || fail "an anonymous push"
! "$MYBUILD" login -u me -p wrong "$registry" >out 2>log && assert_log "incorrect username or password" || fail "wrong password"
echo secret | "$MYBUILD" login -u me --password-stdin "$registry" >out 2>log || fail "login"
assert_equal "$(jq -r ".auths.\"$registry\".identitytoken" home/.docker/config.json)" identity-of-me "the identity token"
! grep -q "$(printf 'me:secret' | base64)" home/.docker/config.json || fail "the password is stored beside the token"
: >asked.log
"$MYBUILD" push "$registry/public/app:1" >out 2>log || fail "push"
"$MYBUILD" push "$registry/private/app:1" >out 2>log || fail "push of the private one"
grep -q "^POST token repository:public/app:pull,push" asked.log || fail "asked for tokens otherwise: $(cat asked.log)"
assert_below "$(grep -c . asked.log)" 60 "requests for tokens"
echo '{"auths": {"'"$registry"'": {"auth": "'"$(printf me:secret | base64)"'"}}}' >home/.docker/config.json
rm -rf "$MYBUILD_ROOT" && "$MYBUILD" pull "$registry/private/app:1" >out 2>log || fail "pull with the password"
rm home/.docker/config.json && rm -rf "$MYBUILD_ROOT"
"$MYBUILD" pull "$registry/public/app:1" >out 2>log || fail "an anonymous pull"
! "$MYBUILD" pull "$registry/private/app:1" >out 2>log && assert_log "mybuild login" || fail "an anonymous pull of the private one"

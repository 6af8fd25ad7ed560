#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# login and logout with a registry that wants a password: asked first, then stored as docker stores it; pull, push, build.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
start_password_registry me secret
config=home/.docker/config.json
login() { "$MYBUILD" login "$@" >out 2>log; }
printf 'FROM busybox\nRUN echo one >/one\n' | dockerfile && build -t "$registry/app:1" ctx
! "$MYBUILD" push "$registry/app:1" >out 2>log && assert_log "wants a login" && assert_log "hint: .*mybuild login $registry" || fail "push without a login"
! login -u me -p wrong "$registry" && assert_log "login to $registry as me failed" && assert_log "Use --password-stdin" && [ ! -e $config ] || fail "wrong password"
! login -u me --password-stdin --password x "$registry" && assert_log "mutually exclusive" || fail "two passwords"
! login --password-stdin "$registry" </dev/null && assert_log "Must provide --username" || fail "no user"
! login "$registry" </dev/null && assert_log "non-TTY" || fail "no terminal"
echo secret | login -u me --password-stdin "http://$registry/v2/" || fail "login"
assert_file out "Login Succeeded" && assert_log "stored unencrypted in '$work/$config'"
assert_equal "$(stat -c %a $config) $(jq -r ".auths.\"$registry\".auth" $config | base64 -d)" "600 me:secret" "what is stored"
"$MYBUILD" push "$registry/app:1" >out 2>log || fail "push"
skopeo copy -q --src-tls-verify=false --src-creds me:secret "docker://$registry/app:1" oci:copied:1 || fail "skopeo"
rm -rf "$MYBUILD_ROOT" && "$MYBUILD" pull "$registry/app:1" >out 2>log || fail "pull"
printf 'FROM %s/app:1\nRUN test -f /one\n' "$registry" | dockerfile && rm -rf "$MYBUILD_ROOT" && build -t next ctx
login "$registry" </dev/null && assert_log "Authenticating with existing credentials" || fail "login again"
"$MYBUILD" logout "$registry" >out && assert_file out "Removing login credentials for $registry"
"$MYBUILD" logout "$registry" >out && assert_file out "Not logged in to $registry"
! "$MYBUILD" pull "$registry/app:1" >out 2>log && assert_log "wants a login" || fail "pull after logout"
skopeo login --tls-verify=false --authfile auth.json -u me -p secret "$registry" >/dev/null || fail "skopeo login"
REGISTRY_AUTH_FILE=auth.json "$MYBUILD" pull "$registry/app:1" >out 2>log || fail "pull with a login of skopeo"
DOCKER_AUTH_CONFIG=$(cat auth.json) "$MYBUILD" pull "$registry/app:1" >out 2>log || fail "pull with DOCKER_AUTH_CONFIG"
jq '.auths[].auth = "bWU6d3Jvbmc="' auth.json >bad.json
! REGISTRY_AUTH_FILE=bad.json "$MYBUILD" pull "$registry/app:1" >out 2>log && assert_log "login to $registry as me failed" || fail "a stored wrong password"

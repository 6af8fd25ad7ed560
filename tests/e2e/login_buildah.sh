#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Logins made by buildah are good for us, in each file it may put them into, and ours for buildah; so are the logouts.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
. "$support/others.sh"
start_password_registry me secret
mkdir runtime && export XDG_RUNTIME_DIR=$work/runtime # where auth.json is unless somebody says otherwise
theirs() { buildah_ "$1" --tls-verify=false "${@:2}" >out 2>log; }
ours() { "$MYBUILD" "$@" >out 2>log; }
theirs_login() { theirs login -u me -p secret "$@" || fail "buildah login $*"; }
theirs_logout() { buildah_ logout "$@" >out 2>log || fail "buildah logout $*"; }
theirs_can() { buildah_ rmi -af >out 2>&1; theirs pull "$registry/$1" && theirs push "$registry/$1" "docker://$registry/theirs:1" || fail "buildah, $2"; }
ours_can() { rm -rf "$MYBUILD_ROOT" && ours pull "$registry/$1" || fail "mybuild pull, $2"; }
ours_can_push() { ours tag "$registry/$1" "$registry/ours:1" && ours push "$registry/ours:1" || fail "mybuild push, $2"; }
theirs_cannot() { buildah_ rmi -af >out 2>&1; ! theirs pull "$registry/$1" && assert_log "unauthorized|authentication required" || fail "buildah pull, $2"; }
ours_cannot() { ! ours pull "$registry/$1" && assert_log "wants a login" || fail "mybuild pull, $2"; }
printf 'FROM busybox\nRUN echo one >/one\n' | dockerfile && build -t "$registry/team/app:1" ctx
ours_cannot team/app:1 "no login yet" && theirs_login "$registry" && [ -s runtime/containers/auth.json ] || fail "where is auth.json?"
build -t "$registry/team/app:1" -t "$registry/app:1" --push ctx && ours_can app:1 "login by buildah" && ours_can_push app:1 "login by buildah"
theirs_logout "$registry" && ours_cannot app:1 "logout by buildah" && theirs_login --authfile given.json "$registry"
ours_cannot app:1 "nobody named the file" && REGISTRY_AUTH_FILE=given.json ours_can app:1 "the file is named"
theirs_login "$registry/team" && ours_can team/app:1 "login to a part" && ours_cannot app:1 "another part" && theirs_logout --all
echo secret | "$MYBUILD" login -u me --password-stdin "$registry" >out 2>log || fail "mybuild login"
theirs_can app:1 "login by mybuild, in docker's file" && REGISTRY_AUTH_FILE=home/.docker/config.json theirs_can team/app:1 "that file by name"
theirs_login --authfile home/.docker/config.json "$registry" && ours_can app:1 "docker's file, written by both"
ours logout "$registry" && ours_cannot app:1 "logout by mybuild" && theirs_cannot app:1 "logout by mybuild"

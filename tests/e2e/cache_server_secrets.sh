#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The value of a secret: masked where a step prints it, and no step with it in its files is published.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
echo canary-s3cr3t-value >secret
dockerfile <<'DOCKERFILE'
FROM busybox
RUN echo clean >/clean
RUN --mount=type=secret,id=s printf 'user:%s' "$(cat /run/secrets/s)" | base64 >/leak
RUN --mount=type=secret,id=s cat /run/secrets/s; echo shown >/shown
DOCKERFILE
build_tree --secret id=s,src=secret ctx
assert_log "#[0-9]+ [0-9.]+ \*\*\*$"
assert_no_log canary
assert_log "not published, as the value of a secret is in their files: .*base64"
MYBUILD_ROOT=$work/second build_tree --secret id=s,src=secret ctx
assert_step "RUN echo clean" CACHED
assert_step "base64" DONE
! grep -ra "$(base64 <<<user:canary-s3cr3t | cut -c 1-16)" cache || fail "the server has a secret"

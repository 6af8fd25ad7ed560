#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rules speak in a check, which exits with 1 and needs no root, and in a build, which error=true makes fail.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
# base is what all stand on
FROM busybox AS base
# VERSION is the version
ARG VERSION=1
COPY $NAME f /
RUN --mount=type=secret,id=token true
D
printf 'f\n' >ctx/.dockerignore
ask() { status=0; "$MYBUILD" build "${busybox[@]}" "$@" ctx >log 2>&1 || status=$?; }
ask --check
assert_equal $status 1
assert_log 'Check complete, 2 warnings have been found!'
assert_log 'WARNING: UndefinedVar - https://docs.docker.com/go/dockerfile/rule/undefined-var/'
assert_log '5 \| >>> COPY'
assert_log 'WARNING: CopyIgnoredFile'
ask --call=check,format=github --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=CopyIgnoredFile
assert_equal "$(cat log)" "::warning file=ctx/Dockerfile,line=5,endLine=5,title=UndefinedVar::Usage of undefined variable '\$NAME'"
ask --call=outline && assert_log 'VERSION +1 +is the version' && assert_log '^token'
ask --call=targets && assert_log '^base \(default\) is what all stand on'

printf 'FROM busybox as x\nRUN true\n' | dockerfile && rm ctx/.dockerignore && build ctx
assert_log "1 warning found" && assert_log "FromAsCasing: 'as' and 'FROM' keywords' casing do not match \(line 1\)"
build_fails --build-arg BUILDKIT_DOCKERFILE_CHECK=error=true ctx
assert_log 'lint violation found for rules: FromAsCasing' && assert_step 'RUN true' none

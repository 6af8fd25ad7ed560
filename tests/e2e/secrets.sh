#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --secret: from a file, a variable or a pipe to a file or a variable of one step; nothing of it stays anywhere.
. "$(dirname "$0")/lib.sh"

dockerfile <<'D'
FROM busybox
RUN --mount=type=secret,id=file --mount=type=secret,id=pipe,target=/etc/pw,mode=0440,uid=7,gid=8 --mount=type=secret,id=absent \
    cat /run/secrets/file /etc/pw | md5sum >/sum && ls -ln /run/secrets /etc/pw | awk '/^-/ { print $1, $3, $4 }' >/rights && grep -E 'secrets|/etc/pw' /proc/mounts | cut -d' ' -f2-4 >/mounts
RUN --mount=type=secret,id=env,env=TOKEN --mount=type=secret,id=both,env=BOTH,target=/both --mount=type=secret,id=absent,env=NONE \
    echo "$TOKEN" | md5sum >/sum2; test "$BOTH" = "$(cat /both)" && env | grep '^NONE=$' && ! ls /run/secrets; echo "$TOKEN" >/dev/null
RUN ! ls /run/secrets && ! ls /etc/pw && ! ls /both && ! env | grep -E 'TOKEN|BOTH' && ! grep -r canary /proc/[0-9]*/environ
D
echo canary-file >secret
export canary=canary-env
secrets=(--secret id=file,src=secret --secret id=env,env=canary --secret "id=both,type=env,src=canary")
build --iidfile id "${secrets[@]}" --secret id=pipe,src=<(sleep 0.3; echo canary-pipe) ctx
build_tree "${secrets[@]}" --secret id=pipe,src=/dev/null ctx
assert_step "RUN --mount=type=secret,id=env" CACHED # a value is in no key
assert_equal "$(cat out/sum out/sum2)" "$(printf 'canary-file\ncanary-pipe\n' | md5sum; echo canary-env | md5sum)" "values"
assert_equal "$(sort out/rights | tr '\n' ';')" "-r-------- 0 0;-r--r----- 7 8;" "rights"
assert_equal "$(cut -d' ' -f3 out/mounts | grep -c '^ro,nosuid,nodev,noexec')" 2 "mounts"
assert_equal "$(find out/run out/etc/pw out/both 2>/dev/null)" out/run "stubs are left"
! grep -ra canary- "$MYBUILD_ROOT" out log || fail "a secret is left"
! { "$MYBUILD" inspect "$(cat id)"; "$MYBUILD" history --no-trunc "$(cat id)"; } | grep canary- || fail "a secret is shown"

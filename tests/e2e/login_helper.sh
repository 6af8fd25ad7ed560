#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A program keeps the login: login stores it there, pulls get it from there, logout erases it; one that fails is named.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
start_password_registry me secret
mkdir -p bin home/.docker && export PATH=$work/bin:$PATH
cat >bin/docker-credential-test <<'S'
#!/bin/sh
request=$(cat)
case $1 in
  store) echo "$request" >kept ;;
  erase) rm -f kept ;;
  get) [ -f kept ] && cat kept || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
echo "$1" >>calls
S
chmod +x bin/docker-credential-test
echo '{"credsStore": "test", "other": [1, 2]}' >home/.docker/config.json
echo secret | "$MYBUILD" login -u me --password-stdin "$registry" >out 2>log && assert_file out "Login Succeeded" || fail login
assert_no_log "unencrypted"
assert_equal "$(jq -c . home/.docker/config.json)" "{\"credsStore\":\"test\",\"other\":[1,2],\"auths\":{\"$registry\":{}}}" config.json
printf 'FROM busybox\nRUN true\n' | dockerfile && build -t "$registry/app:1" ctx && rm calls
"$MYBUILD" push "$registry/app:1" >out 2>log || fail "push"
assert_file calls get
"$MYBUILD" logout "$registry" >out && [ ! -e kept ] || fail logout
rm bin/docker-credential-test
! "$MYBUILD" pull "$registry/other:1" >out 2>log && assert_log "docker-credential-test" || fail "a helper that is gone"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What costs every start: few shared libraries, and none of libcurl's for a build that has nothing to do, or only with a registry on
# this machine. libcurl is there when it is needed, with an OpenSSL of its own that ours does not touch.
. "$(dirname "$0")/lib.sh"
start_registry
push "$bases/busybox" base:1
loaded() { LD_DEBUG=files LD_DEBUG_OUTPUT=$PWD/ld "$@" && cat ld.* | grep -o 'calling init: .*' | sed 's|.*/||' | sort -u >libraries && rm ld.*; }
printf 'FROM %s/base:1\nCOPY f /f\nRUN cat /f >/g\n' "$registry" | dockerfile
echo one >ctx/f
loaded build -t image ctx && ! grep libcurl libraries || fail "a registry on this machine took libcurl"
assert_step "RUN cat" DONE && cp -r ctx far && sed -i "1s|.*|FROM nobody.invalid/base:1|" far/Dockerfile
loaded build_fails far && grep -q libcurl libraries || fail "another machine was asked without libcurl"
loaded build -t image ctx && assert_step "RUN cat" CACHED
for library in $(grep '\.so' libraries); do
  case $library in
    ld-linux* | libc.so* | libm.so* | libisal.so*) ;;
    *) fail "a warm build loads $library" ;;
  esac
done
hidden=$(nm -D --defined-only "$(dirname "$MYBUILD")"/mybuild-{net,serve}.so "$MYBUILD" | grep -cE ' (EVP|SSL|SHA256|ZSTD|sqlite3)_' || true)
assert_equal "$hidden" 0 "names of libraries that others could bind to"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --cache-flush=background: the build ends at once, and a process of its own publishes what is left; off publishes nothing.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
start_cache cache
export MYBUILD_CACHE_SERVER=http://$cache
dockerfile <<<$'FROM busybox\nRUN head -c 60000000 /dev/urandom >/large\nRUN echo two >/two'
build --cache-flush=off ctx
MYBUILD_ROOT=$work/second build --cache-flush=background ctx
assert_step "RUN head" DONE
until [ -z "$(ls second/cache-publish 2>/dev/null)" ] && ! pgrep -f "cache-flush --root=$work" >/dev/null; do sleep 0.1; done
MYBUILD_ROOT=$work/third build ctx
assert_step "RUN head" CACHED
assert_step "RUN echo" CACHED

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A machine finds all steps in a folder that another one exported; what it does not need of it, it does not read; and what it
# found it has from then on.
. "$(dirname "$0")/lib.sh"
dockerfile <<'EOF'
FROM busybox AS build
COPY f /f
RUN cat /f >/g && head -c 8 /dev/urandom | od -An -tx1 >/random
FROM busybox
RUN mkdir /d && ln -s ../f /d/link && chown 7:8 /d && chmod 1750 /d && echo x >/d/x && ln /d/x /d/y
COPY --from=build /g /random /
RUN rm /d/x && cat /g /random >/both
EOF
echo one >ctx/f
export SOURCE_DATE_EPOCH=1700000000
build -o type=oci,dest=a,tar=false --cache-to type=local,dest=cache/of/a,mode=max ctx
on() { export MYBUILD_ROOT=$work/$1; }
on b
build -o type=oci,dest=b,tar=false --cache-from type=local,src=cache/of/a ctx
assert_equal "$(oci_digest b)" "$(oci_digest a)" "the image elsewhere"
build -t image --cache-from type=local,src=cache/of/a ctx && build -t image --label x=y ctx
assert_step "RUN mkdir" CACHED && assert_step "COPY f" DONE # what the image was made of is here from then on
assert_equal "$("$MYBUILD" run --rm image stat -c %a:%u:%g /d)" 1750:7:8 "an imported layer"
on c
build -o type=cacheonly --cache-from type=local,src=cache/of/a ctx
assert_equal "$(grep -c CACHED log)" 5 "cached steps"
echo two >ctx/f && build -t image --cache-from type=local,src=cache/of/a --cache-to type=local,dest=d,mode=min ctx
assert_step "RUN mkdir" CACHED && assert_step "RUN cat" DONE && assert_step "RUN rm" DONE
assert_equal "$("$MYBUILD" run --rm image cat /g)" two "a file that changed"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All 18 instructions, and what each leaves in the image's config and history.
. "$(dirname "$0")/lib.sh"
printf 'FROM busybox\nONBUILD RUN echo triggered >/onbuild\n' | dockerfile
build -t trigger ctx
dockerfile <<'D'
FROM trigger
ARG version=1
MAINTAINER someone
SHELL ["/bin/sh", "-ec"]
ENV A=$version B="two words"
LABEL a=b c="d e"
ADD archive.tar /added/
COPY file /copied
WORKDIR /sub/dir
RUN pwd >/pwd
EXPOSE 80 53/udp
VOLUME /data
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s CMD true
USER 1:2
ENTRYPOINT ["echo"]
CMD one two
D
echo text >ctx/file && tar -cf ctx/archive.tar -C ctx file
build -t image -o type=image -o type=oci,dest=layout,tar=false ctx && config_of layout >config
holds() { jq -e "$1" config >/dev/null || fail "the config does not hold $1: $(cat config)"; }
. "$checkout/tests/e2e/instructions.expect"
assert_equal "$(run --entrypoint cat image /added/file /copied /pwd /onbuild | tr '\n' ' ')" "text text /sub/dir triggered " files

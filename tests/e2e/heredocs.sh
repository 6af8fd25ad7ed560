#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Heredocs: as a script of RUN, with another interpreter, as files of COPY, with and without expansion, tabs stripped.
. "$(dirname "$0")/lib.sh"
dockerfile <<'D'
FROM busybox
ARG who=world
RUN <<EOF
echo first >/out
echo "$who" >>/out
EOF
RUN <<EOF cat >/piped
from stdin
EOF
RUN <<'EOF'
#!/bin/awk -f
BEGIN { print "awk" >"/awk" }
EOF
COPY <<one <<-'two' /files/
hello $who
one
	tabs $who
	two
COPY --chmod=600 <<EOF /single
x
EOF
D
build_tree ctx
assert_equal "$(cat out/out out/piped out/awk out/files/one out/files/two out/single | tr '\n' ' ')" \
  'first world from stdin awk hello world tabs $who x ' "contents"

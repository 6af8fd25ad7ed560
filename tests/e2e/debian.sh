#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# Real input: apt-get in a debootstrapped Debian, a C program, a second stage that takes only the binary, and it runs.
. "$(dirname "$0")/lib.sh"

need_debian
dockerfile <<'D'
FROM debian AS build
RUN apt-get update && apt-get install -y make gcc libc6-dev
WORKDIR /src
COPY hello.c Makefile ./
RUN make CFLAGS=-static hello && ./hello
FROM scratch
COPY --from=build /src/hello /hello
ENTRYPOINT ["/hello"]
CMD ["nobody"]
D
printf '#include <stdio.h>\nint main(int c, char** v) { return printf("hello, %%s\\n", c > 1 ? v[1] : "") < 0; }\n' >ctx/hello.c
printf 'hello: hello.c\n\t$(CC) $(CFLAGS) -o $@ $<\n' >ctx/Makefile
build -t hello ctx
assert_equal "$(run hello) $(run hello you)" "hello, nobody hello, you" "the program"
build_tree ctx
assert_equal "$(ls out)" hello "files of the image"
sed -i 's/hello, %s/good bye, %s/' ctx/hello.c
build -t hello ctx
assert_step "RUN apt-get" CACHED
assert_step "RUN make" DONE
assert_equal "$(run hello me)" "good bye, me" "the changed program"

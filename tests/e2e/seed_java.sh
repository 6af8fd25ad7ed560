#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# A jar, made by one build and added by the next through a wildcard in an ARG, answers HTTP; its /tmp is a volume.
. "$(dirname "$0")/lib.sh"
. "$support/seeds.sh"

seed java
build "${seed_bases[@]}" -f ctx/java/jar.Dockerfile -o ctx/java/build/lib ctx/java
assert_equal "$(ls ctx/java/build/lib)" seed-1.0.jar "the jar"
build -t server "${seed_bases[@]}" -o type=image -o type=oci,dest=layout,tar=false ctx/java
assert_step "ADD build/lib/\*.jar app.jar" DONE
assert_equal "$(config_of layout | jq -c '.config | [.Labels, .Volumes, .ExposedPorts, .Entrypoint, .Cmd]')" \
  '[{"maintainer":"park"},{"/tmp":{}},{"8080/tcp":{}},["java","-jar","app.jar"],null]' "the config"
port=$(free_port)
serve server "$port" you
assert_equal "$(get "$port" /)" "hello, you, on port $port with /tmp" "the jar"

build -t server "${seed_bases[@]}" ctx/java
assert_step "ADD build/lib/\*.jar app.jar" CACHED
cp ctx/java/build/lib/seed-1.0.jar ctx/java/other.jar
build -t server "${seed_bases[@]}" --build-arg JAR_FILE=other.jar ctx/java
assert_step "ADD other.jar app.jar" DONE
assert_equal "$(run --entrypoint sh server -c "cat /app.jar" | sha256sum)" "$(sha256sum <ctx/java/other.jar)" "the other jar"

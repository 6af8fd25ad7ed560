#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tests/bench/remote_sources.sh MYBUILD DIR [DOCKER…]: contexts and files from elsewhere, one run each: a git repository of 20,000
# files, the same as an archive on stdin, ADD of 500 MB. DOCKER is the command of another builder's client (with its -H), or nothing.
# Both states should lie on the disk of DIR. Needs git, nginx, python3.
set -euo pipefail
mybuild=$(readlink -f "$1") && mkdir -p "$2" && dir=$(readlink -f "$2") && docker=("${@:3}")
cd "$dir" && export MYBUILD_ROOT=$dir/mybuild HOME=$dir
servers=() && trap 'for server in "${servers[@]}"; do kill "$server"; done' EXIT

measure() { # NAME COMMAND…
  local start=$EPOCHREALTIME
  "${@:2}" >log 2>&1 || { echo "$1 failed" && tail -n 5 log; }
  awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$1" 'BEGIN { printf "%-32s %7.3f s\n", n, b - a }'
  sync
}
each() { # NAME ARGUMENT…: with stdin from the file $input
  local input=${input:-/dev/null}
  measure "$1, mybuild" build "$mybuild" "$input" "${@:2}"
  [ ${#docker[@]} = 0 ] || measure "$1, docker" build "${docker[*]}" "$input" "${@:2}"
}
build() { $1 build -t bench "${@:3}" <"$2"; } # the command is words

mkdir -p src empty && python3 - <<'PY'
import os, random
random.seed(1)
for folder in range(200):
    os.makedirs(f"src/pkg{folder}/lib", exist_ok=True)
    for file in range(100):
        with open(f"src/pkg{folder}/lib/f{file}.js", "w") as out:
            out.write(random.randbytes(random.randint(200, 6000)).hex())
PY
printf 'FROM scratch\nCOPY . /app/\n' >src/Dockerfile
git config --global user.name n && git config --global user.email n@example.com
git -C src init -q && git -C src add . && git -C src commit -qm one && git clone -q --bare src served.git
tar -C src --exclude=.git -cf context.tar . && gzip -1 -kf context.tar && head -c 500000000 /dev/urandom >big
printf 'FROM scratch\nADD http://127.0.0.1:8811/big /\n' >Dockerfile.add
printf 'daemon off; pid %s/pid; error_log stderr;\nevents {} http { access_log off; server { listen 127.0.0.1:8811; root %s; } }\n' \
  "$dir" "$dir" >nginx.conf
PATH=$PATH:/usr/sbin nginx -c "$dir/nginx.conf" 2>nginx.log & servers+=($!)
git daemon --reuseaddr --export-all --base-path="$dir" --listen=127.0.0.1 --port=9419 2>git.log & servers+=($!)
sleep 1

for round in cold again; do each "git, $round" git://127.0.0.1:9419/served.git; done
echo changed >src/pkg1/lib/f1.js && git -C src commit -qam two && git -C src push -q ../served.git HEAD
each "git, one more commit" git://127.0.0.1:9419/served.git
input=context.tar each "tar on stdin" -
for round in cold again; do input=context.tar.gz each "tar.gz on stdin, $round" -; done
for round in cold again; do each "ADD of 500 MB, $round" -f "$dir/Dockerfile.add" "$dir/empty"; done

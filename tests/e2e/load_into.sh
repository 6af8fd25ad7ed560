#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build --load hands the image to docker, else to podman, where one answers; its words are the error; without one the local store has it.
. "$(dirname "$0")/lib.sh"
unset MYBUILD_LOAD_INTO
printf 'FROM busybox\nRUN echo here >/file\n' | dockerfile
mkdir tools none && printf '#!/bin/sh\nname=${0##*/}\necho "$name $*" >>calls\n[ ! -e "$name.$1" ] || . "./$name.$1"\n[ "$1" = version ] || cat >"$name.tar"\n' >tools/docker
chmod +x tools/docker && cp tools/docker tools/podman && path=$PATH
with() { local tools=$1 && shift && : >calls && rm -f ./*.tar && PATH=$work/$tools:$path build "$@" ctx; }
ids() { tar xOf "$1" manifest.json | jq -r '.[0] | "\(.Config) \(.RepoTags[0])"' | sed 's/.*sha256[:/]//'; }
PATH=$work/tools:$path && for option in --load --output=type=docker,name=b:1; do
  with tools -t b:1 "$option" && assert_file calls "$(printf 'docker version\ndocker load')"
  assert_log "importing to docker" && id=$("$MYBUILD" inspect -f '{{.Id}}' b:1) && assert_equal "$(ids docker.tar)" "${id#sha256:} b:1" "$option"
done
"$MYBUILD" load -i docker.tar >log 2>&1 && assert_equal "$(run b:1 cat /file)" here "the archive"
with tools -t c:1 && assert_file calls "" && with tools --load=false && assert_file calls ""
echo 'echo "no daemon" >&2; exit 1' >docker.version && with tools --load -t b:1
assert_file calls "$(printf 'docker version\npodman version\npodman load')" && assert_log "importing to podman"
MYBUILD_LOAD_INTO=docker build_fails --load ctx && assert_log 'MYBUILD_LOAD_INTO is docker, which cannot be used: no daemon'
MYBUILD_LOAD_INTO=dockre build_fails --load ctx && assert_log "docker, podman or none" && cp docker.version podman.version
with tools --load -t d:1 && assert_no_log importing && assert_equal "$(run d:1 cat /file)" here "the local store alone"
MYBUILD_LOAD_INTO=none with tools --load && assert_file calls ""
rm ./*.version && echo 'exec sleep 60' >docker.version && assert_below "$(milliseconds with tools --load -t e:1)" 20000 "a daemon that hangs"
assert_log "importing to podman" && rm docker.version && echo 'head -c 9 >/dev/null; echo "no space left" >&2; exit 1' >docker.load
build_fails --load -t e:1 ctx && assert_log "docker load failed: no space left" && assert_equal "$(run e:1 cat /file)" here "stored all the same"

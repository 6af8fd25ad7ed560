#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# inspect says of a container what docker says; ps -s, du and prune count what it wrote; ps -f finds it by its labels.
. "$(dirname "$0")/lib.sh"

printf 'FROM busybox\nLABEL team=core\nVOLUME /v\nENTRYPOINT ["sh", "-c"]\n' | dockerfile
build -t image ctx
code=0 && "$MYBUILD" run --name box -l tier=web -v data:/data:Z -v "$work/in:/in:ro,z" image 'echo hello >/f; head -c 7 /f >/data/f; exit 3' || code=$?
inspect() { "$MYBUILD" inspect "$@"; }
assert_equal "$code $(inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}} {{.State.Pid}}' box)" "3 exited 3 false 0"
assert_equal "$(inspect -f '{{.Path}} {{len .Args}} {{.Name}} {{json .Config.Entrypoint}}' box)" 'sh 2 /box ["sh","-c"]' "what ran"
assert_equal "$(inspect -f '{{range .Mounts}}{{.Type}}:{{.Destination}}:{{.RW}} {{end}}' box)" "bind:/in:false volume:/data:true volume:/v:true " Mounts
assert_equal "$(inspect -s -f '{{.SizeRw}}' box) $("$MYBUILD" ps -as --format '{{.Size}}' | cut -d' ' -f1)" "6 6B" "what it wrote"
assert_equal "$(cat "$(inspect -f '{{.GraphDriver.Data.UpperDir}}' box)/f")" hello "its layer"
inspect box image data | jq -e '.[0].Image == .[1].Id and .[2].Mountpoint == (.[0].Mounts[] | select(.Name == "data").Source)' >log || fail "the three kinds"
printf 'FROM busybox\n' | dockerfile other && build -t box other
assert_equal "$(inspect -f '{{.Name}}' box) $(inspect --type image -f '{{index .RepoTags 0}}' box)" "/box box:latest" "a name that two have"
! "$MYBUILD" container inspect image >out 2>log || fail "an image as a container" && assert_log "no such container: image"
filtered() { "$MYBUILD" ps -a --format '{{.Names}}' "$@"; }
assert_equal "$(filtered -f label=team=core -f label=tier)$(filtered -f label=tier=db)$(filtered -f 'name=^/box$')" boxbox "ps -f"
assert_equal "$("$MYBUILD" du -v --format json | jq -c '[.ContainersSize, .LocalVolumesSize, .Containers[0].Name, .Volumes[-1].Containers]')" '[6,6,"box",1]' du
"$MYBUILD" run --rm --name busy image 'while [ ! -e /v/stop ]; do sleep 0.05; done' &
until [ "$(inspect -f '{{.State.Running}}' busy 2>&1)" = true ]; do sleep 0.05; done
pid=$(inspect -f '{{.State.Pid}}' busy) && touch "/proc/$pid/root/v/stop" && wait $! || fail "the process of a container: $pid"
"$MYBUILD" container prune -f >out && assert_equal "$(tail -n 1 out)" "Total reclaimed space: 6B" "container prune"
"$MYBUILD" volume prune -af >out && assert_equal "$(tail -n 1 out)" "Total reclaimed space: 6B" "volume prune"

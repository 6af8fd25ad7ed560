# SPDX-License-Identifier: Apache-2.0
# Sourced by every end-to-end script: a folder and a state directory of its own, base images made here, a few words to say
# what should hold, and a clean-up that also fails the script when the builder left something behind.
# From ctest come MYBUILD (the binary), E2E_WORK (where to work) and E2E_BASES (base images, kept between runs).
set -euo pipefail
support=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../support")
checkout=$(readlink -f "$support/../..")
MYBUILD=${MYBUILD:-$checkout/build/release/bin/mybuild}
bases=${E2E_BASES:-$checkout/build/bases}
script=$(basename "$0" .sh)
processes=()

skip() { echo "skipped: $*" && exit 77; }
fail() {
  echo "FAILED: $*" >&2
  [ ! -s "$work/log" ] || { echo "--- output of the last command:" && tail -n 60 "$work/log"; } >&2
  exit 1
}
[ "$(id -u)" = 0 ] || skip "needs root (CAP_SYS_ADMIN and friends); rootless building is not there yet"

mkdir -p "${E2E_WORK:=$checkout/build/e2e}" "$bases"
work=$(mktemp -d "$E2E_WORK/$script.XXXXXX")
export MYBUILD_ROOT=$work/root MYBUILD_LOAD_INTO=none MYBUILD_GC=min-free-space=0 # however full this disk is
cd "$work"

clean_up() {
  local status=$? process
  trap - EXIT && set +e
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null && wait "$process" 2>/dev/null; done
  [ $status != 0 ] || ( assert_nothing_left ) || status=1
  rm -rf "$work"
  exit $status
}
trap clean_up EXIT

# --- base images -------------------------------------------------------------------------------------------------------

# make_base NAME COMMAND…: runs the command once for all scripts, with the folder to fill as its last argument.
make_base() {
  exec 9>"$bases/.$1.lock" && flock 9
  if [ ! -d "$bases/$1" ]; then
    rm -rf "$bases/$1.draft"
    "${@:2}" "$bases/$1.draft" && mv "$bases/$1.draft" "$bases/$1"
  fi
  exec 9>&-
}
layout_of() { "$support/oci_layout.sh" "${@: -1}" "${@:1:$#-1}"; }
make_base busybox-rootfs "$support/busybox_rootfs.sh"
make_base busybox layout_of "$bases/busybox-rootfs" gzip
busybox=(--build-context "busybox=oci-layout://$bases/busybox")
need_debian() {
  make_base debian-rootfs "$support/debian_rootfs.sh"
  KEEP_OWNERS=1 make_base debian layout_of "$bases/debian-rootfs" zstd
  busybox+=(--build-context "debian=oci-layout://$bases/debian")
}

# --- driving the builder -----------------------------------------------------------------------------------------------

# dockerfile [DIR] <<TEXT: makes the context DIR (default ctx) with this Dockerfile.
dockerfile() { mkdir -p "${1:-ctx}" && cat >"${1:-ctx}/Dockerfile"; }
# The build's stderr (and stdout) go to the file log.
build() { "$MYBUILD" build --progress plain "${busybox[@]}" "$@" >log 2>&1 || fail "mybuild build $*: exit code $?"; }
build_fails() {
  local status=0
  "$MYBUILD" build --progress plain "${busybox[@]}" "$@" >log 2>&1 || status=$?
  [ $status = 1 ] || fail "mybuild build $*: exit code $status, not 1"
}
run() { "$MYBUILD" run --rm "$@"; }
# build_tree ARGS…: builds and leaves the result's files in the folder out.
build_tree() { rm -rf out && build -o type=local,dest=out "$@"; }
image_id() { "$MYBUILD" build -q "${busybox[@]}" "$@"; }
oci_digest() { jq -r '.manifests[0].digest' "$1/index.json"; }
blob() { cat "$1/blobs/sha256/${2#sha256:}"; }
manifest_of() { blob "$1" "$(oci_digest "$1")"; }
config_of() { blob "$1" "$(manifest_of "$1" | jq -r .config.digest)"; }

# --- saying what should hold -------------------------------------------------------------------------------------------

assert_equal() { [ "$1" = "$2" ] || fail "${3:-}: got '$1', expected '$2'"; }
assert_file() { assert_equal "$(cat "$1")" "$2" "$1"; }
assert_log() { grep -qE -- "$1" log || fail "the output does not match: $1"; }
assert_no_log() { ! grep -qE -- "$1" log || fail "the output matches: $1"; }
assert_below() { [ "$1" -lt "$2" ] || fail "$3: $1, expected less than $2"; }
# state_of PATTERN: what plain progress says of the one step whose title matches: CACHED, DONE, ERROR, CANCELED or none.
state_of() {
  awk -v pattern="$1" '
    $1 ~ /^#[0-9]+$/ && $2 ~ /^\[/ && $0 ~ pattern { step = $1 }
    step != "" && $1 == step && $2 ~ /^(CACHED|DONE|ERROR:?|CANCELED)$/ { state = $2 }
    END { sub(":", "", state); print state == "" ? "none" : state }' log
}
assert_step() { assert_equal "$(state_of "$1")" "$2" "step $1"; }
milliseconds() {
  local start=${EPOCHREALTIME/./}
  "$@" >&2
  echo $(((${EPOCHREALTIME/./} - start) / 1000))
}
# No mount, process, cgroup or draft of ours outlives a command.
assert_nothing_left() {
  ! grep -hF "$work" /proc/self/mountinfo || fail "a mount is left"
  ! grep -lF "$work" /proc/[0-9]*/mountinfo 2>/dev/null || fail "a process with our mounts is left"
  assert_equal "$(orphans | sort | uniq -d)" "" "sandboxes without a parent"
  ! find /sys/fs/cgroup -type d -name '*mybuild*' -newer "$work" 2>/dev/null | grep . || fail "a cgroup is left"
  [ ! -d "$MYBUILD_ROOT/tmp" ] || assert_equal "$(ls "$MYBUILD_ROOT/tmp")" "" "drafts left"
  [ ! -d "$MYBUILD_ROOT/containers" ] || assert_equal "$(ls "$MYBUILD_ROOT/containers")" "" "containers left"
}
# Sandbox helpers whose builder is gone, looked for twice with a second between if there are any: other scripts kill theirs.
orphans() {
  local exe found=
  for exe in /proc/[0-9]*/exe; do
    [ "$exe" -ef "$MYBUILD-sandbox" ] && grep -qs '^PPid:[[:space:]]*1$' "${exe%exe}status" && found=1 && echo "${exe%/exe}"
  done
  [ -z "$found" ] || [ -n "${1:-}" ] || { sleep 1 && orphans again; }
}

# A loopback port on which nobody listens.
free_port() {
  local port
  while port=$((10000 + RANDOM % 10000)) && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# --- a registry --------------------------------------------------------------------------------------------------------

# Starts a real registry on a free loopback port: its address is in $registry, its access log in registry.log.
start_registry() {
  local try
  for try in $(seq 20); do
    registry=127.0.0.1:$((20000 + (RANDOM + try) % 20000))
    printf 'version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %s/registry}}\nhttp: {addr: "%s"}\n' \
      "$work" "$registry" >registry.yml
    docker-registry serve registry.yml >registry.log 2>&1 &
    processes+=($!)
    wait_for_registry && return
  done
  fail "the registry did not start: $(tail -n 3 registry.log)"
}
wait_for_registry() {
  local try
  for try in $(seq 100); do
    (exec 3<>"/dev/tcp/${registry/://}") 2>/dev/null && return
    kill -0 "${processes[-1]}" 2>/dev/null || return 1
    sleep 0.05
  done
  return 1
}
push() { skopeo copy -q --all --dest-tls-verify=false "oci:$1:latest" "docker://$registry/$2"; }

# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts that hand images to other builders: buildah_, podman_ and docker_ with stores of their own under
# $work, rights that a machine without CAP_SYS_RESOURCE has, and no network of theirs.
# shellcheck shell=bash disable=SC2154
PATH=$PATH:$checkout/build/peers/usr/bin:$checkout/build/peers/usr/sbin  # where ./dev unpacks what it does not install
export CONTAINERS_CONF=$work/containers.conf
printf '[containers]\ndefault_ulimits = ["nofile=1024:%s", "nproc=1024:2048"]\n' "$(ulimit -Hn)" >"$CONTAINERS_CONF"
run_root=$(mktemp -d /run/e2e.XXXXXX)  # podman takes no long path
trap 'code=$? && set +e && rm -rf "$run_root" && (exit $code); clean_up' EXIT
stores=(--root "$work/containers" --runroot "$run_root" --storage-driver vfs)
buildah_() { buildah "${stores[@]}" "$@"; }
podman_() { podman "${stores[@]}" --conmon "$(command -v conmon)" --cgroup-manager cgroupfs "${runtime[@]}" "$@"; }
runtime=(--runtime runc)
# crun refuses to see both generations of cgroups.
with_one_cgroup() {
  export -f podman_ && unshare --mount bash -c 'umount /sys/fs/cgroup/unified 2>/dev/null; stores=('"${stores[*]@Q}"'); "$@"' - "$@"
}
# A docker daemon of Debian, without a bridge: its client is docker_.
start_docker() {
  command -v dockerd >/dev/null || skip "no dockerd: neither installed nor in build/peers (./dev test puts it there)"
  unshare --mount dockerd --data-root "$work/docker" --exec-root "$work/docker-run" --pidfile "$work/docker.pid" -H "unix://$work/docker.sock" \
    --storage-driver vfs --bridge none --iptables=false --ip6tables=false --ip-forward=false >docker.log 2>&1 &
  processes+=($!)
  local try
  for try in $(seq 200); do docker_ version >/dev/null 2>&1 && return || sleep 0.1; done
  skip "dockerd does not start: $(tail -n 1 docker.log)"
}
docker_() { docker -H "unix://$work/docker.sock" "$@"; }

# SPDX-License-Identifier: Apache-2.0
# Sourced by scripts that run arm64 programs: makes the base `busybox` one of amd64 and arm64 (an index), and adds the word `emulate`.
# Packages are downloaded into a folder of their own: neither the machine's architectures nor its programs change.
[ "$(dpkg --print-architecture)" = amd64 ] || skip "needs an amd64 machine, to which arm64 is foreign"

# file_of ARCH PACKAGE PATH DIR: that one file of a Debian package, in DIR.
file_of() {
  local dir=$4 apt=(apt-get -qq -o "APT::Architecture=$1" -o "APT::Architectures=$1" -o APT::Sandbox::User=root
    -o "Dir::State=$4/apt" -o "Dir::State::status=$4/apt/status" -o "Dir::Cache=$4/apt" -o Acquire::Languages=none -o Acquire::Retries=3)
  mkdir -p "$dir/apt/lists/partial" "$dir/apt/archives/partial" && : >"$dir/apt/status"
  (cd "$dir/apt" && "${apt[@]}" update || true
    "${apt[@]}" download "$2" && dpkg-deb --fsys-tarfile "$2"_*.deb | tar xO ".$3" >"../${3##*/}") &&
    chmod 755 "$dir/${3##*/}" && rm -r "$dir/apt"
}
rootfs_arm64() { "$support/busybox_rootfs.sh" "$1" "$bases/busybox-arm64/busybox"; }
index_of_both() { "$support/oci_layout.sh" "$1" "$bases/busybox-rootfs" gzip amd64 "arm64=$bases/busybox-arm64-rootfs"; }
make_base qemu-arm64 file_of amd64 qemu-user-static /usr/bin/qemu-aarch64-static
make_base busybox-arm64 file_of arm64 busybox-static /bin/busybox
make_base busybox-arm64-rootfs rootfs_arm64
make_base busybox-index index_of_both
busybox=(--build-context "busybox=oci-layout://$bases/busybox-index")

# two_platforms_context: makes ctx, a Dockerfile whose stages run natively, natively for each platform, and emulated; ${both[@]}
# are the flags to build it for both. Its program prints the processor it runs on, and those that the three stages saw.
both=(--platform linux/amd64,linux/arm64/v8)
two_platforms_context() {
  dockerfile <<'EOF'
FROM --platform=$BUILDPLATFORM busybox AS native
RUN uname -m >/native && head -c 8 /dev/urandom >/random
FROM --platform=$BUILDPLATFORM busybox AS cross
ARG TARGETPLATFORM TARGETARCH
RUN echo "$TARGETPLATFORM $TARGETARCH" >/cross
FROM busybox
COPY --from=native /native /random /
COPY --from=cross /cross /
RUN uname -m >/emulated && chown nobody /emulated
CMD ["sh", "-c", "uname -m; cat /native /cross /emulated"]
EOF
}

# Whether this machine runs arm64 programs, also those of another root.
runs_arm64() { chroot "$bases/busybox-arm64-rootfs" /bin/busybox true 2>/dev/null; }

holder_says() { until read -r -t 0.5 answer <&8; do kill -0 "$holder" 2>/dev/null || return 1; done; }
# From here on steps can be arm64 programs. Where the machine does not run them, $MYBUILD lives in a user namespace with a
# binfmt_misc of its own: nothing is registered on the machine, and with the process that holds the namespace it is gone.
emulate() {
  ! runs_arm64 || return 0
  local holder answer=
  mkdir emulated && mkfifo emulated/{asks,answers}
  unshare --user --mount "$support/emulator_holder.sh" "$bases/qemu-arm64/qemu-aarch64-static" emulated/{asks,answers} \
    2>emulated/log &
  holder=$! && processes+=("$holder")
  exec 8<>emulated/asks # so that nobody waits for the other end
  if holder_says; then # it has its namespaces, and waits for the ids in them: all, as they are outside
    echo '0 0 4294967295' | tee "/proc/$holder/uid_map" >"/proc/$holder/gid_map"
    echo go >emulated/answers && holder_says || answer=no
  fi
  exec 8>&-
  [ "$answer" = ready ] || skip "the kernel gives a namespace no binfmt_misc of its own (Linux 6.7 does): $(cat emulated/log)"
  ln -s "$MYBUILD"-* emulated/
  printf '#!/bin/sh\nexec nsenter --user --mount --target %s sh -c '\''cd "$0" && exec "$@"'\'' "$PWD" %s "$@"\n' "$holder" "$MYBUILD" \
    >emulated/mybuild
  chmod 755 emulated/mybuild && MYBUILD=$work/emulated/mybuild
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# RUN --device: nodes, mounts and variables that a CDI file of this machine describes, granted by --allow device.
. "$(dirname "$0")/lib.sh"
mkdir -p cdi lib && echo driver >lib/driver && export MYBUILD_CDI_DIRS=$work/cdi
cat >cdi/vendor.yaml <<Y
cdiVersion: "0.6.0"
kind: vendor.com/gpu
containerEdits: {env: [DRIVER=1]}
devices:
- name: "0"
  containerEdits:
    env: [PATH=/gpu/bin:/bin, GPU=zero]
    additionalGids: [4321]
    deviceNodes: [{path: /dev/gpu/card0, hostPath: /dev/zero, fileMode: 0640}, {path: /opt/full, type: c, major: 1, minor: 7}]
    mounts: [{hostPath: $work/lib, containerPath: /usr/lib/gpu, options: [ro, nosuid, nodev, rbind]}]
Y
dockerfile <<'D'
FROM busybox
RUN --device=vendor.com/gpu=0,required --device=vendor.com/none test "$(head -c 5 /dev/gpu/card0 | wc -c)" = 5 && ! echo x >/opt/full && \
    cat /usr/lib/gpu/driver && ! touch /usr/lib/gpu/x && env | grep -E 'PATH|GPU|DRIVER' >/env && id >/id && stat -c %a /dev/gpu/card0 >/mode && chmod 7 /opt/full
RUN ! ls /dev/gpu /opt/full /usr/lib/gpu && ! env | grep GPU
D
build_fails ctx && assert_log "device vendor.com/gpu=0 is requested by the build but not allowed"
build_tree --allow device=vendor.com/gpu ctx
assert_equal "$(sort out/env | tr '\n' ' ')" "DRIVER=1 GPU=zero PATH=/gpu/bin:/bin " "variables"
assert_equal "$(grep -o 4321 out/id) $(cat out/mode) $(stat -c %a /dev/full)" "4321 640 666" "group and modes"
assert_equal "$(find out/opt out/usr/lib/gpu 2>/dev/null)" "" "stubs"
sed -i s/GPU=zero/GPU=other/ cdi/vendor.yaml && build --allow device ctx && assert_step "RUN --device" CACHED
rm cdi/vendor.yaml && build_fails --allow device ctx && assert_log 'required device "vendor.com/gpu=0" is not registered'

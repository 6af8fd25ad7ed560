// SPDX-License-Identifier: Apache-2.0
#include "builder/devices/cdi_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::devices {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The error of a spec whose one device has these edits.
std::string error_of(const std::string& edits) {
  const auto spec = parse_cdi_spec(R"({"cdiVersion": "0.6.0", "kind": "v.com/c", "devices": [
      {"name": "d", "containerEdits": )" +
                                       edits + "}]}",
                                   CdiFormat::Json);
  return spec ? "" : spec.error().message();
}

TEST(CdiSpec, ReadsAFileAsVendorsWriteIt) {
  const auto spec = parse_cdi_spec(
      "cdiVersion: 0.6.0\n"
      "kind: nvidia.com/gpu\n"
      "annotations: {a: file, b: file}\n"
      "containerEdits:\n"
      "  env: [VISIBLE=void]\n"
      "devices:\n"
      "- name: \"0\"\n"
      "  annotations: {a: own}\n"
      "  containerEdits:\n"
      "    additionalGids: [0, 44]\n"
      "    deviceNodes:\n"
      "    - path: /dev/gpu0\n"
      "      permissions: rw\n"
      "      fileMode: 0640\n"
      "    - {path: /dev/gpu1, hostPath: /dev/null, type: c, major: 195, minor: 1, uid: 7, gid: "
      "8}\n"
      "    mounts:\n"
      "    - hostPath: /lib/a\n"
      "      containerPath: /lib/b\n"
      "      options: [ro, nosuid, nodev, rbind, rprivate]\n",
      CdiFormat::Yaml);
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->kind, "nvidia.com/gpu");
  EXPECT_THAT(spec->edits.env, ElementsAre("VISIBLE=void"));
  const Device& device = spec->devices.at(0);
  EXPECT_EQ(device.name, "0");
  EXPECT_EQ(device.annotations.at("a"), "own");
  EXPECT_EQ(device.annotations.at("b"), "file");
  EXPECT_THAT(device.edits.groups, ElementsAre(44));
  const DeviceNode& first = device.edits.nodes.at(0);
  EXPECT_EQ(first.host_path, "/dev/gpu0");
  EXPECT_EQ(first.mode, 0640U);
  EXPECT_FALSE(first.major);
  const DeviceNode& second = device.edits.nodes.at(1);
  EXPECT_EQ(second.host_path, "/dev/null");
  EXPECT_EQ(second.major, 195U);
  EXPECT_EQ(second.gid, 8U);
  const DeviceMount& mount = device.edits.mounts.at(0);
  EXPECT_TRUE(mount.read_only && mount.recursive && mount.no_suid && !mount.no_exec);
}

TEST(CdiSpec, WhatIsNotDoneIsNamed) {
  EXPECT_THAT(error_of(R"({"hooks": [{"hookName": "prestart"}]})"),
              HasSubstr("hooks is not supported"));
  EXPECT_THAT(error_of(R"({"intelRdt": {"closID": "x"}})"), HasSubstr("intelRdt is not supported"));
  EXPECT_THAT(error_of(R"({"deviceNodes": [{"path": "/dev/x", "permissions": "r"}]})"),
              HasSubstr("permissions r cannot be kept"));
  EXPECT_THAT(error_of(R"({"mounts": [{"hostPath": "/a", "containerPath": "/b",
                          "type": "tmpfs"}]})"),
              HasSubstr("mounts of type tmpfs are not supported"));
  EXPECT_THAT(error_of(R"({"mounts": [{"hostPath": "/a", "containerPath": "/b",
                          "options": ["exec"]}]})"),
              HasSubstr("the mount option exec is not supported"));
  EXPECT_EQ(error_of(R"({"hooks": null})"), "");
}

TEST(CdiSpec, BadValuesNameTheirPlace) {
  EXPECT_THAT(error_of(R"({"env": ["A"]})"), HasSubstr("spec.devices[0].containerEdits.env[0]"));
  EXPECT_THAT(error_of(R"({"deviceNodes": [{"path": "dev/x"}]})"),
              HasSubstr("deviceNodes[0].path: expected an absolute path"));
  EXPECT_THAT(error_of(R"({"deviceNodes": [{"path": "/x", "type": "z"}]})"), HasSubstr("type"));
  EXPECT_THAT(error_of(R"({"deviceNodes": [{"path": "/x", "major": -1}]})"), HasSubstr("major"));
  EXPECT_THAT(error_of(R"({"mounts": [{"hostPath": "/a"}]})"), HasSubstr("containerPath"));
  EXPECT_FALSE(parse_cdi_spec(R"({"kind": "v.com/c"})", CdiFormat::Json));
  EXPECT_FALSE(parse_cdi_spec(R"({"cdiVersion": "1", "kind": "c"})", CdiFormat::Json));
  EXPECT_FALSE(parse_cdi_spec("[]", CdiFormat::Json));
}

TEST(CdiSpec, KindsAreVendorAndClass) {
  for (const char* good : {"v/c", "vendor.com/gpu", "a-b.c/d_e-f"}) {
    EXPECT_TRUE(is_kind(good)) << good;
  }
  for (const char* bad : {"", "v", "/c", "v/", "1v/c", "v/1", "v./c", "v/c-", "v/c/d", "v /c"}) {
    EXPECT_FALSE(is_kind(bad)) << bad;
  }
}

}  // namespace
}  // namespace mybuild::devices

// SPDX-License-Identifier: Apache-2.0
#include "builder/devices/device_source.h"

#include "snapshotter/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::devices {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DeviceSourceTest : public testing::Test {
 protected:
  DeviceSourceTest() : dir_(std::move(TempDir::create()).value()) {
    put("low/a.json", "v.com/gpu", R"({"name": "0", "containerEdits": {"env": ["GPU=0"]}},
        {"name": "1", "containerEdits": {"env": ["GPU=1"]},
         "annotations": {"org.mobyproject.buildkit.device.class": "big"}})");
    put("low/b.json", "v.com/net", R"({"name": "n", "containerEdits": {"env": ["NET=n"]},
        "annotations": {"org.mobyproject.buildkit.device.autoallow": "true"}})");
  }

  void put(const std::string& name, const std::string& kind, const std::string& devices) {
    const std::string path = dir_.path() + "/" + name;
    ASSERT_TRUE(make_dirs(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(write_file(path, R"({"cdiVersion": "0.5.0", "kind": ")" + kind +
                                     R"(", "containerEdits": {"env": ["ALL=)" + kind +
                                     R"("]}, "devices": [)" + devices + "]}"));
  }

  using Names = std::vector<std::string>;
  /// The variables that these devices bring, or the error.
  Names env(const std::vector<solver::CdiDevice>& wanted, DeviceGrants grants) {
    DeviceSource source({dir_.path() + "/low", dir_.path() + "/high", "/no/such"},
                        std::move(grants));
    const auto edits = source.edits(wanted);
    hint_ = edits ? "" : edits.error().hint();
    return edits ? edits->env : Names{edits.error().message()};
  }
  Names env(const std::string& name) { return env({{.name = name, .required = true}}, all_); }

  const DeviceGrants all_{.all = true, .named = {}};
  TempDir dir_;
  std::string hint_;
};

TEST_F(DeviceSourceTest, NamesAreDevicesKindsOrClasses) {
  EXPECT_THAT(env("v.com/gpu=1"), ElementsAre("ALL=v.com/gpu", "GPU=1"));
  EXPECT_THAT(env("v.com/gpu"), ElementsAre("ALL=v.com/gpu", "GPU=0"));
  EXPECT_THAT(env("v.com/gpu=*"), ElementsAre("ALL=v.com/gpu", "GPU=0", "GPU=1"));
  EXPECT_THAT(env("v.com/gpu=big"), ElementsAre("ALL=v.com/gpu", "GPU=1"));
  EXPECT_THAT(env({{"v.com/gpu=1"}, {"v.com/net=n"}, {"v.com/gpu=1"}}, all_),
              ElementsAre("ALL=v.com/gpu", "GPU=1", "ALL=v.com/net", "NET=n"));
}

TEST_F(DeviceSourceTest, OnlyRequiredOnesMustBeThere) {
  EXPECT_THAT(env("v.com/gpu=7"), ElementsAre("required device \"v.com/gpu=7\" is not registered"));
  EXPECT_THAT(env({{"v.com/gpu=7"}}, {}), IsEmpty());
  EXPECT_THAT(env("gpu"), ElementsAre("invalid device \"gpu\""));
}

TEST_F(DeviceSourceTest, NothingIsGrantedThatWasNotAllowed) {
  const auto granted = [this](const std::string& name, const std::string& grant,
                              const std::string& real = "") {
    return env({{.name = name, .required = true}}, {.all = false, .named = {{grant, real}}});
  };
  EXPECT_THAT(env({{"v.com/gpu=0"}}, {}),
              ElementsAre("device v.com/gpu=0 is requested by the build but not allowed"));
  EXPECT_THAT(granted("v.com/gpu=*", "v.com/gpu=0"),
              ElementsAre("device v.com/gpu=1 is requested by the build but not allowed"));
  EXPECT_THAT(granted("v.com/gpu=1", "v.com/gpu=*"), ElementsAre("ALL=v.com/gpu", "GPU=1"));
  EXPECT_THAT(granted("v.com/gpu=1", "v.com/gpu"), testing::Contains(HasSubstr("not allowed")));
  EXPECT_THAT(granted("card", "card", "v.com/gpu=1"), ElementsAre("ALL=v.com/gpu", "GPU=1"));
  EXPECT_THAT(granted("v.com/gpu=1", "card", "v.com/gpu=1"),
              testing::Contains(HasSubstr("not allowed")));
  EXPECT_THAT(env({{"v.com/net=n"}}, {}), ElementsAre("ALL=v.com/net", "NET=n"));
}

TEST_F(DeviceSourceTest, LaterDirectoriesWinAndOneDirectorySaysAThingOnce) {
  put("high/a.json", "v.com/gpu", R"({"name": "0", "containerEdits": {"env": ["GPU=high"]}})");
  EXPECT_THAT(env("v.com/gpu=0"), ElementsAre("ALL=v.com/gpu", "GPU=high"));
  put("high/b.json", "v.com/gpu", R"({"name": "0", "containerEdits": {"env": ["GPU=again"]}})");
  EXPECT_THAT(env("v.com/gpu=0"), ElementsAre(HasSubstr("is not registered")));
  EXPECT_THAT(hint_, HasSubstr("v.com/gpu=0 is described twice"));
}

TEST_F(DeviceSourceTest, ABadFileIsToldToWhoMissesItsDevice) {
  put("low/bad.json", "v.com/bad", R"({"name": "x", "containerEdits": {"hooks": [{}]}})");
  EXPECT_THAT(env("v.com/gpu=1"), ElementsAre("ALL=v.com/gpu", "GPU=1"));
  EXPECT_THAT(env("v.com/bad=x"), ElementsAre(HasSubstr("is not registered")));
  EXPECT_THAT(hint_, HasSubstr("low/bad.json: spec.devices[0].containerEdits: hooks is not"));
}

}  // namespace
}  // namespace mybuild::devices

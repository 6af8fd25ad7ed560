// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/run_device.h"

#include <gtest/gtest.h>

namespace mybuild::frontend {
namespace {

/// "name", "name!" when required, or the error.
std::string read(std::string_view text) {
  const auto device = parse_run_device(text);
  return device ? device->name + (device->required ? "!" : "") : device.error().message();
}

TEST(RunDevice, IsANameAndWhetherItMustBeThere) {
  EXPECT_EQ(read("vendor.com/gpu"), "vendor.com/gpu");
  EXPECT_EQ(read("vendor.com/gpu=0"), "vendor.com/gpu=0");
  EXPECT_EQ(read("vendor.com/gpu=0,required"), "vendor.com/gpu=0!");
  EXPECT_EQ(read("required=true,vendor.com/gpu=0"), "vendor.com/gpu=0!");
  EXPECT_EQ(read("name=vendor.com/gpu=0,Required=false"), "vendor.com/gpu=0");
  EXPECT_EQ(read("alias"), "alias");
  EXPECT_EQ(read("\"vendor.com/gpu=a,b\""), "vendor.com/gpu=a,b");
}

TEST(RunDevice, AnythingElseIsAnError) {
  EXPECT_EQ(read("a,b"), "invalid field 'b' must be a key=value pair");
  EXPECT_EQ(read("a,b=c"), "unexpected key 'b' in 'b=c'");
  EXPECT_EQ(read("a,name=c"), "device name already set to a");
  EXPECT_EQ(read("a,required=maybe"), "invalid value for required: maybe");
  EXPECT_EQ(read("required"), "--device=required names no device");
  EXPECT_EQ(read("\"a"), "failed to parse the fields of --device=\"a: misplaced quote");
}

}  // namespace
}  // namespace mybuild::frontend

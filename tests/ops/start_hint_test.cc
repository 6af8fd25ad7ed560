// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/start_hint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::ops {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const oci::Platform kForeign{"linux", "s390x", "", ""};

TEST(StartHint, SaysHowToRunProgramsOfAnotherProcessor) {
  EXPECT_THAT(start_hint("exec: \"/bin/sh\": exec format error", "the step", kForeign),
              AllOf(HasSubstr("the step is for linux/s390x"), HasSubstr("binfmt_misc"),
                    HasSubstr("qemu-user-static"), HasSubstr("--install s390x")));
}

TEST(StartHint, OfAnEmulatorThatIsLookedForInTheImage) {
  EXPECT_THAT(start_hint("exec: \"/bin/sh\": no such file or directory", "the image", kForeign),
              AllOf(HasSubstr("among the files of the image"), HasSubstr("flag F")));
}

TEST(StartHint, OfWhatIsNoProgramHere) {
  EXPECT_THAT(start_hint("exec: \"/x\": exec format error", "the step", oci::host_platform()),
              AllOf(HasSubstr("no program for"), HasSubstr("#!")));
}

TEST(StartHint, SaysNothingWhereNothingIsKnown) {
  EXPECT_EQ(start_hint("", "the step", kForeign), "");
  EXPECT_EQ(start_hint("exec: \"/x\": permission denied", "the step", kForeign), "");
  EXPECT_EQ(start_hint("exec: \"/x\": no such file or directory", "the step", oci::host_platform()),
            "");
}

}  // namespace
}  // namespace mybuild::ops

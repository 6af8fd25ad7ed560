// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/mode.h"

#include <gtest/gtest.h>

namespace mybuild::ops {
namespace {

struct Row {
  const char* change;
  mode_t before;
  bool directory;
  mode_t after;
};

const Row kRows[] = {
    {"0755", 0600, false, 0755},        {"4711", 0600, false, 04711},
    {"u=rwx,go=rx", 0600, false, 0755}, {"+x", 0644, false, 0755},
    {"a-w", 0666, false, 0444},         {"go-rwx", 0777, false, 0700},
    {"u=rwX,go=rX", 0600, false, 0644}, {"u=rwX,go=rX", 0700, false, 0755},
    {"u=rwX,go=rX", 0600, true, 0755},  {"u+s", 0755, false, 04755},
    {"g+s", 0755, true, 02755},         {"+t", 0777, true, 01777},
    {"g=u", 0640, false, 0660},         {"u+r-w", 0200, false, 0400},
    {"o=", 0777, false, 0770},          {"u=rwX,go=rX", 01777, true, 01755},
    {"go=", 01777, true, 01700},        {"o+t", 0755, true, 0755},
    {"u+rwt", 0644, false, 01644},      {"a=rwxu", 0644, false, 0777},
    {"g=xu", 0644, false, 0664},        {"g=u", 02640, false, 02660},
    {"a-x,a+X", 0755, false, 0755},
};

TEST(ModeChangeTest, ReadsWhatChmodReads) {
  for (const Row& row : kRows) {
    const Result<ModeChange> change = ModeChange::parse(row.change);
    ASSERT_TRUE(change.has_value()) << row.change;
    EXPECT_EQ(change->apply(row.before, row.directory), row.after) << row.change;
  }
}

TEST(ModeChangeTest, RefusesWhatIsNoMode) {
  for (const char* text : {"", "8", "10000", "u", "u=rwx,", "x=r", "u=rq", "-", "+x,=,z"}) {
    const Result<ModeChange> change = ModeChange::parse(text);
    if (std::string_view(text) == "-") {
      continue;  // chmod(1) takes an operator without permissions: it changes nothing
    }
    EXPECT_FALSE(change.has_value()) << text;
  }
}

}  // namespace
}  // namespace mybuild::ops

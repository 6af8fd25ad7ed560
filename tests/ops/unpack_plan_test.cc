// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/copy_plan.h"
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/file.h"
#include "tests/support/memory_tree.h"

#include <gtest/gtest.h>

namespace mybuild::ops {
namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using testing_support::MemoryTree;

/// A tar from raw entries, whatever they say.
class Archive {
 public:
  Archive& file(const std::string& path, const std::string& text) {
    EXPECT_TRUE(writer_.add_file(path, text).has_value());
    return *this;
  }
  Archive& link(const std::string& path, EntryType type, const std::string& target) {
    Entry entry;
    entry.path = path;
    entry.type = type;
    entry.link = target;
    EXPECT_TRUE(writer_.add(entry).has_value());
    return *this;
  }
  std::string bytes() {
    EXPECT_TRUE(writer_.finish().has_value());
    return sink_.text;
  }

 private:
  StringSink sink_;
  snapshotter::TarWriter writer_{sink_};
};

class UnpackPlanTest : public testing::Test {
 protected:
  std::string add(const MemoryTree& base, const std::string& bytes, const std::string& dest) {
    const MemoryTree context = {{"a.tar", bytes}};
    StagedTree staged(base);
    const TempDir scratch = TempDir::create().value();
    CopyPlanOptions options;
    options.dest = dest;
    const Result<bool> unpacked =
        plan_unpack(staged, context, context.lookup("a.tar")->value(), options, scratch.path());
    if (!unpacked) {
      return "error: " + unpacked.error().message();
    }
    if (!*unpacked) {
      return "no archive";
    }
    std::string text;
    for (const Entry& entry : staged.changes()) {
      text += entry.path + (entry.type == EntryType::Directory ? "/ " : " ");
    }
    return text;
  }
};

TEST_F(UnpackPlanTest, EntriesLandBelowTheDestination) {
  EXPECT_EQ(add({}, Archive().file("x", "1").file("d/y", "2").bytes(), "/to"),
            "to/ to/d/ to/d/y to/x ");
}

TEST_F(UnpackPlanTest, WhatIsNoTarIsNotUnpacked) {
  EXPECT_EQ(add({}, "PK\x03\x04 a zip, or a jar", "/to"), "no archive");
  EXPECT_EQ(add({}, "", "/to"), "no archive");
  EXPECT_EQ(add({}, std::string(4096, 'x'), "/to"), "no archive");
}

TEST_F(UnpackPlanTest, DotDotStaysInside) {
  const std::string planned = add({}, Archive().file("../../etc/passwd", "x").bytes(), "/to");
  EXPECT_TRUE(planned == "to/ to/etc/ to/etc/passwd " || planned.starts_with("error:")) << planned;
}

TEST_F(UnpackPlanTest, ALinkInTheArchiveLeadsWhereItWouldInAChroot) {
  EXPECT_EQ(
      add({{"etc/", ""}},
          Archive().link("out", EntryType::Symlink, "/etc").file("out/passwd", "x").bytes(), "/to"),
      "to/ to/etc/ to/etc/passwd to/out ");
  EXPECT_EQ(
      add({}, Archive().link("up", EntryType::Symlink, "..").file("up/etc/f", "x").bytes(), "/to"),
      "to/ to/etc/ to/etc/f to/up ");
}

TEST_F(UnpackPlanTest, AHardLinkToNothingIsAnError) {
  EXPECT_TRUE(add({}, Archive().link("h", EntryType::HardLink, "gone").bytes(), "/to")
                  .starts_with("error:"));
}

}  // namespace
}  // namespace mybuild::ops

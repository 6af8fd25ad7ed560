// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/copy_plan.h"
#include "snapshotter/archive/codec.h"
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
  Archive& link(const std::string& path, EntryType type, const std::string& target,
                mode_t mode = 0) {
    Entry entry;
    entry.path = path;
    entry.type = type;
    entry.link = target;
    entry.mode = mode;
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
    for (const Entry* entry : staged.changes()) {
      text += entry->path;
      if (entry->type == EntryType::HardLink) {
        text += "=" + entry->link;
      } else if (entry->type == EntryType::File) {
        FileSource content(staged.open(*entry).value());
        text += fmt::format(":{}:{:o}", read_all(content, 100).value(), entry->mode);
      }
      text += entry->type == EntryType::Directory ? "/ " : " ";
    }
    return text;
  }
};

TEST_F(UnpackPlanTest, EntriesLandBelowTheDestination) {
  EXPECT_EQ(add({}, Archive().file("x", "1").file("d/y", "2").bytes(), "/to"),
            "to/ to/d/ to/d/y:2:644 to/x:1:644 ");
}

TEST_F(UnpackPlanTest, WhatIsNoTarIsNotUnpacked) {
  EXPECT_EQ(add({}, "PK\x03\x04 a zip, or a jar", "/to"), "no archive");
  EXPECT_EQ(add({}, "", "/to"), "no archive");
  EXPECT_EQ(add({}, std::string(4096, 'x'), "/to"), "no archive");
}

TEST_F(UnpackPlanTest, DotDotStaysInside) {
  EXPECT_TRUE(
      add({}, Archive().file("../../etc/passwd", "x").bytes(), "/to").starts_with("error:"));
  EXPECT_TRUE(add({}, Archive().file("a/../../b", "x").bytes(), "/to").starts_with("error:"));
  EXPECT_EQ(add({}, Archive().file("a/../b", "x").bytes(), "/to"), "to/ to/b:x:644 ");
}

TEST_F(UnpackPlanTest, ALinkInTheArchiveLeadsWhereItWouldInAChroot) {
  EXPECT_EQ(
      add({{"etc/", ""}},
          Archive().link("out", EntryType::Symlink, "/etc").file("out/passwd", "x").bytes(), "/to"),
      "to/ to/etc/ to/etc/passwd:x:644 to/out ");
  EXPECT_EQ(
      add({}, Archive().link("up", EntryType::Symlink, "..").file("up/etc/f", "x").bytes(), "/to"),
      "to/ to/etc/ to/etc/f:x:644 to/up ");
}

TEST_F(UnpackPlanTest, AHardLinkToNothingIsAnError) {
  for (const char* target : {"gone", "h", "d"}) {
    Archive archive;
    archive.file("d/x", "").link("h", EntryType::HardLink, target);
    EXPECT_TRUE(add({}, archive.bytes(), "/to").starts_with("error:")) << target;
  }
}

TEST_F(UnpackPlanTest, TheFirstNameInListOrderHasTheBytes) {
  Archive archive;
  archive.file("m", "1").link("z", EntryType::HardLink, "m", 0600);
  archive.link("a", EntryType::HardLink, "z", 0640);
  EXPECT_EQ(add({}, archive.bytes(), "/"), "a:1:640 m=a z=a ");
}

TEST_F(UnpackPlanTest, AReplacedNameLeavesTheOthersWhatTheyWere) {
  Archive archive;
  archive.file("a", "1").link("b", EntryType::HardLink, "a", 0644);
  archive.link("c", EntryType::HardLink, "a", 0644).file("a", "2");
  EXPECT_EQ(add({}, archive.bytes(), "/"), "a:2:644 b:1:644 c=b ");
  Archive below;
  below.file("d/a", "1").link("b", EntryType::HardLink, "d/a", 0644).file("d", "2");
  EXPECT_EQ(add({}, below.bytes(), "/"), "b:1:644 d:2:644 ");
}

TEST_F(UnpackPlanTest, AHardLinkToAFileOfTheBaseTakesItAlong) {
  EXPECT_EQ(add({{"etc/passwd", "root"}},
                Archive().link("h", EntryType::HardLink, "etc/passwd", 0600).bytes(), "/"),
            "etc/ etc/passwd:root:600 h=etc/passwd ");
}

TEST_F(UnpackPlanTest, ADamagedArchiveIsNoPlainFile) {
  const std::string whole = Archive().file("f", std::string(2000, 'x')).bytes();
  EXPECT_TRUE(add({}, whole.substr(0, 1500), "/to").starts_with("error:"));
  EXPECT_EQ(add({}, Archive().file("f", "x").bytes().substr(0, 600), "/to"), "to/ to/f:x:644 ")
      << "some writers leave out the padding of the last member";
}

TEST_F(UnpackPlanTest, AnArchiveThatIsNotWhatTheKeySaysIsDataLoss) {
  const std::string bytes = Archive().file("f", "x").bytes() + std::string(20000, '\0');
  MemoryTree context = {{"a.tar", bytes}};
  const MemoryTree base = {};
  const TempDir scratch = TempDir::create().value();
  CopyPlanOptions options;
  options.dest = "/to";
  const auto unpack = [&] {
    StagedTree staged(base);
    return plan_unpack(staged, context, context.at("a.tar"), options, scratch.path());
  };
  context.at("a.tar").content = Digest::of("what it was when its key was made");
  const Result<bool> changed = unpack();
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().kind(), ErrorKind::DataLoss);
  EXPECT_TRUE(changed.error().message().starts_with("a.tar")) << changed.error().message();
}

TEST_F(UnpackPlanTest, CompressionIsTakenOffOnce) {
  const auto gzipped = [](const std::string& bytes) {
    StringSink sink;
    const auto compressor =
        snapshotter::make_compressor({.compression = oci::Compression::Gzip, .level = {}}, sink);
    EXPECT_TRUE(compressor->write(as_bytes(bytes)).has_value());
    EXPECT_TRUE(compressor->finish().has_value());
    return sink.text;
  };
  const std::string once = gzipped(Archive().file("f", "1").bytes());
  EXPECT_EQ(add({}, once, "/to"), "to/ to/f:1:644 ");
  EXPECT_EQ(add({}, gzipped(once), "/to"), "no archive");
}

}  // namespace
}  // namespace mybuild::ops

// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/copy_plan.h"

#include "tests/support/memory_tree.h"

#include <gtest/gtest.h>

namespace mybuild::ops {
namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using testing_support::MemoryTree;

class CopyPlanTest : public testing::Test {
 protected:
  /// Plans `COPY patterns dest`; one line per change: "path mode" with a mark for its type.
  std::string copy(const MemoryTree& base, const MemoryTree& context,
                   const std::vector<std::string>& patterns, const std::string& dest,
                   CopyPlanOptions options = {}) {
    options.dest = dest;
    StagedTree staged(base);
    const Result<std::vector<SelectedSource>> sources = select(context, patterns, {});
    EXPECT_TRUE(sources.has_value());
    for (const SelectedSource& source : *sources) {
      const Status planned = plan_copy(staged, context, source, options);
      if (!planned) {
        return "error: " + planned.error().message();
      }
    }
    std::string text;
    for (const Entry* entry : staged.changes()) {
      text += fmt::format("{}{} {:o}\n", entry->path, mark(*entry), entry->mode);
    }
    return text;
  }

 private:
  static std::string mark(const Entry& entry) {
    switch (entry.type) {
      case EntryType::Directory:
        return "/";
      case EntryType::Symlink:
        return " -> " + entry.link;
      case EntryType::HardLink:
        return " = " + entry.link;
      default:
        return "";
    }
  }
};

const MemoryTree kContext = {{"f", "1"}, {"g", "2"}, {"d/x", "3"}, {"d/e/y", "4"}, {"l", "-> f"}};

TEST_F(CopyPlanTest, AFileBecomesTheDestinationOrGoesIntoIt) {
  const MemoryTree base = {{"dir/", ""}};
  EXPECT_EQ(copy(base, kContext, {"f"}, "/new"), "new 644\n");
  EXPECT_EQ(copy(base, kContext, {"f"}, "/dir"), "dir/ 755\ndir/f 644\n");
  EXPECT_EQ(copy(base, kContext, {"f"}, "/made/"), "made/ 755\nmade/f 644\n");
  EXPECT_EQ(copy(base, kContext, {"f"}, "/p/q/r"), "p/ 755\np/q/ 755\np/q/r 644\n");
}

TEST_F(CopyPlanTest, ADirectoryIsCopiedByItsContents) {
  EXPECT_EQ(copy({}, kContext, {"d"}, "/"), "e/ 755\ne/y 644\nx 644\n");
  EXPECT_EQ(copy({}, kContext, {"d"}, "/to"), "to/ 755\nto/e/ 755\nto/e/y 644\nto/x 644\n");
}

TEST_F(CopyPlanTest, AnExistingDirectoryKeepsItsMode) {
  MemoryTree base = {{"tmp/", ""}};
  base.at("tmp").mode = 01777;
  EXPECT_EQ(copy(base, kContext, {"f"}, "/tmp/"), "tmp/ 1777\ntmp/f 644\n");
}

TEST_F(CopyPlanTest, ANestedDirectoryTakesTheSourcesMode) {
  MemoryTree base = {{"to/e/", ""}};
  base.at("to/e").mode = 0700;
  EXPECT_EQ(copy(base, kContext, {"d"}, "/to"), "to/ 755\nto/e/ 755\nto/e/y 644\nto/x 644\n");
}

TEST_F(CopyPlanTest, LinksInTheDestinationAreFollowedInsideTheRoot) {
  const MemoryTree base = {{"usr/lib/", ""}, {"lib", "-> usr/lib"}, {"out", "-> ../../../usr"}};
  EXPECT_EQ(copy(base, kContext, {"f"}, "/lib/"), "usr/ 755\nusr/lib/ 755\nusr/lib/f 644\n");
  EXPECT_EQ(copy(base, kContext, {"f"}, "/out/"), "usr/ 755\nusr/f 644\n");
}

TEST_F(CopyPlanTest, SeveralFilesWithoutASlashOverwriteOneAnother) {
  EXPECT_EQ(copy({}, kContext, {"f", "g"}, "/to"), "to 644\n");
}

TEST_F(CopyPlanTest, TypeClashesAreErrors) {
  EXPECT_EQ(copy({{"to", "file"}}, kContext, {"d"}, "/to"), "error: /to is not a directory");
  EXPECT_EQ(copy({{"to/e", "file"}}, kContext, {"d"}, "/to"),
            "error: cannot copy to non-directory: /to/e");
  EXPECT_EQ(copy({{"to/x/", ""}}, kContext, {"d"}, "/to"),
            "error: cannot replace to directory /to/x with file");
}

TEST_F(CopyPlanTest, ALinkInTheWayIsReplacedNotFollowed) {
  EXPECT_EQ(copy({{"to/x", "-> /etc/passwd"}}, kContext, {"d"}, "/to"),
            "to/ 755\nto/e/ 755\nto/e/y 644\nto/x 644\n");
}

TEST_F(CopyPlanTest, LinksBelowADirectoryStayLinks) {
  EXPECT_EQ(copy({}, MemoryTree{{"d/l", "-> f"}}, {"d"}, "/"), "l -> f 644\n");
}

TEST_F(CopyPlanTest, HardLinksAreKeptWithinOneCopy) {
  MemoryTree context = {{"d/a", "1"}, {"d/b", "1"}};
  context.hard_link("d/a", "d/b");
  EXPECT_EQ(copy({}, context, {"d"}, "/"), "a 644\nb = a 644\n");
}

TEST_F(CopyPlanTest, ChmodAndChownReachAllThatIsMade) {
  CopyPlanOptions options;
  options.mode = ModeChange::parse("0700").value();
  options.owner = Ids{5, 6};
  EXPECT_EQ(copy({}, kContext, {"d"}, "/to", options),
            "to/ 700\nto/e/ 700\nto/e/y 700\nto/x 700\n");
}

}  // namespace
}  // namespace mybuild::ops

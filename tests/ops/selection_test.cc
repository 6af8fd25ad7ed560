// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/selection.h"

#include "tests/support/memory_tree.h"

#include <gtest/gtest.h>

namespace mybuild::ops {
namespace {

using testing_support::MemoryTree;

std::string show(const std::vector<SelectedSource>& sources) {
  std::string text;
  for (const SelectedSource& source : sources) {
    text += source.name + (source.is_directory ? "/" : "") + "[";
    for (const SelectedEntry& entry : source.entries) {
      text += std::string(source.below(entry)) + " ";
    }
    text += "]";
  }
  return text;
}

std::string selected(const MemoryTree& tree, const std::vector<std::string>& patterns,
                     const SelectOptions& options = {}) {
  const Result<std::vector<SelectedSource>> sources = select(tree, patterns, options);
  return sources ? show(*sources) : "error: " + sources.error().message();
}

const MemoryTree& example() {
  static const MemoryTree tree = {{"a.txt", "a"},    {"b.md", "b"},       {".hidden", "h"},
                                  {"src/x.c", "x"},  {"src/y.h", "y"},    {"src/sub/z.c", "z"},
                                  {"lib", "-> src"}, {"one", "-> a.txt"}, {"empty/", ""}};
  return tree;
}

TEST(SelectTest, ADirectoryBringsItsContents) {
  EXPECT_EQ(selected(example(), {"src"}), "src/[ sub sub/z.c x.c y.h ]");
  EXPECT_EQ(selected(example(), {"src/"}), "src/[ sub sub/z.c x.c y.h ]");
}

TEST(SelectTest, ManyDirectoriesAreReadSideBySideAndListedInOrder) {
  MemoryTree tree = {};
  std::string wanted;
  for (int number = 100; number < 400; ++number) {
    const std::string name = "d" + std::to_string(number);
    tree.add("top/" + name + "/f", "f");
    wanted += name + " " + name + "/f ";
  }
  EXPECT_EQ(selected(tree, {"top"}), "top/[ " + wanted + "]");
}

TEST(SelectTest, AFewDirectoriesOfManyAreReadSideBySideAsSoonAsThatShows) {
  MemoryTree tree = {};
  std::string wanted;
  for (int outer = 10; outer < 40; ++outer) {
    const std::string directory = "d" + std::to_string(outer);
    wanted += directory + " ";
    for (int inner = 10; inner < 30; ++inner) {
      const std::string below = directory + "/e" + std::to_string(inner);
      tree.add("top/" + below + "/f", "f");
      wanted += below + " " + below + "/f ";
    }
  }
  EXPECT_EQ(selected(tree, {"top"}), "top/[ " + wanted + "]");
}

TEST(SelectTest, TheNamedSourceIsFollowed) {
  EXPECT_EQ(selected(example(), {"lib"}), "lib/[ sub sub/z.c x.c y.h ]");
  EXPECT_EQ(selected(example(), {"one"}), "one[ ]");
}

TEST(SelectTest, WildcardsMatchByComponentAndFindHiddenFiles) {
  EXPECT_EQ(selected(example(), {"*.txt"}), "a.txt[ ]");
  EXPECT_EQ(selected(example(), {"src/*.c"}), "x.c[ ]");
  EXPECT_EQ(selected(example(), {"s*/s*/*.c"}), "z.c[ ]");
  EXPECT_EQ(selected(example(), {".h*"}), ".hidden[ ]");
}

TEST(SelectTest, AWildcardWithoutMatchSelectsNothing) {
  EXPECT_EQ(selected(example(), {"*.nothing"}), "");
}

TEST(SelectTest, AMissingPathIsNamed) {
  EXPECT_EQ(selected(example(), {"gone/file"}), "error: \"/gone/file\": not found");
}

TEST(SelectTest, PathsDoNotLeaveTheRoot) {
  EXPECT_EQ(selected(example(), {"../../a.txt"}), "a.txt[ ]");
}

TEST(SelectTest, ExcludesAreBelowTheSource) {
  EXPECT_EQ(selected(example(), {"src"}, {.excludes = {"**/*.c"}}), "src/[ sub y.h ]");
  EXPECT_EQ(selected(example(), {"src"}, {.excludes = {"sub"}}), "src/[ x.c y.h ]");
  EXPECT_EQ(selected(example(), {"src"}, {.excludes = {"!sub", "*"}}), "src/[ ]");
  EXPECT_EQ(selected(example(), {"src"}, {.excludes = {"*", "!sub/z.c"}}), "src/[ sub sub/z.c ]");
  EXPECT_EQ(selected(example(), {"*.txt", "*.md"}, {.excludes = {"*.md"}}), "a.txt[ ]b.md[ ]")
      << "what is named is not below a source";
}

TEST(SelectTest, ParentsKeepThePath) {
  EXPECT_EQ(selected(example(), {"src/sub/z.c"}, {.excludes = {}, .parents = true}),
            "/[ src src/sub src/sub/z.c ]");
  EXPECT_EQ(selected(example(), {"src/./sub/z.c"}, {.excludes = {}, .parents = true}),
            "/[ sub sub/z.c ]");
  EXPECT_EQ(selected(example(), {"src/*.h"}, {.excludes = {}, .parents = true}),
            "/[ src src/y.h ]");
  EXPECT_EQ(selected(example(), {"s*/./**/z.c"}, {.excludes = {}, .parents = true}),
            "/[ sub sub/z.c ]");
  EXPECT_EQ(selected(example(), {"no*/f"}, {.excludes = {}, .parents = true}), "/[ ]");
}

TEST(SelectTest, APathOfAMountIsNoPattern) {
  const MemoryTree tree = {{"a*b/x", ""}, {"axb/y", ""}};
  EXPECT_EQ(selected(tree, {"a*b"}, {.excludes = {}, .wildcards = false}), "a*b/[ x ]");
  EXPECT_EQ(selected(tree, {"no*"}, {.excludes = {}, .wildcards = false}),
            "error: \"/no*\": not found");
}

Digest digest_of(const MemoryTree& tree, const std::vector<std::string>& patterns) {
  std::vector<SelectedSource> sources = select(tree, patterns, {}).value();
  EXPECT_TRUE(hash_contents(tree, sources).has_value());
  return selection_digest(sources, NamedDirectories::NotShown);
}

TEST(SelectionDigestTest, SeesWhatACopySeesAndNothingElse) {
  MemoryTree tree = {{"src/x", "1"}, {"src/y", "2"}, {"other", "3"}};
  const Digest before = digest_of(tree, {"src"});
  tree.at("src/x").mtime.tv_sec = 77;
  EXPECT_EQ(digest_of(tree, {"src"}), before) << "a touched mtime is no change";
  tree.at("other").mode = 0600;
  EXPECT_EQ(digest_of(tree, {"src"}), before) << "a file that is not copied is no change";
  tree.at("src/x").mode = 0755;
  EXPECT_NE(digest_of(tree, {"src"}), before);
  EXPECT_NE(digest_of(MemoryTree{{"src/x", "1"}, {"src/y", "3"}}, {"src"}), before);
  EXPECT_NE(digest_of(MemoryTree{{"src/x", "1"}, {"src/z", "2"}}, {"src"}), before) << "a rename";
}

TEST(SelectionDigestTest, AFileNameCannotAbsorbItsNeighbour) {
  EXPECT_NE(digest_of(MemoryTree{{"d/ab", ""}, {"d/c", ""}}, {"d"}),
            digest_of(MemoryTree{{"d/a", ""}, {"d/bc", ""}}, {"d"}));
}

}  // namespace
}  // namespace mybuild::ops

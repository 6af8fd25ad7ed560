// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_seal.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "tests/snapshotter/tree_support.h"

#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <set>

namespace mybuild::snapshotter::testing {
namespace {

namespace fs = std::filesystem;

/// What stores have noted since there are seals: a plain walk in order, by one thread.
class PlainWalk {
 public:
  void add_below(const fs::path& directory) {
    std::set<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
      names.insert(entry.path().filename());
    }
    for (const std::string& name : names) {
      struct stat info {};
      ASSERT_EQ(::lstat((directory / name).c_str(), &info), 0);
      const bool is_directory = S_ISDIR(info.st_mode);
      const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
      const std::array<std::uint64_t, 7> facts = {info.st_mode,
                                                  info.st_uid,
                                                  info.st_gid,
                                                  is_directory ? 0 : number(info.st_size),
                                                  number(info.st_mtim.tv_sec),
                                                  number(info.st_mtim.tv_nsec),
                                                  info.st_rdev};
      const std::array<std::int64_t, 2> change = {info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
      facts_.update(std::string_view(name.c_str(), name.size() + 1));
      facts_.update(std::as_bytes(std::span(facts)));
      changes_.update(std::as_bytes(std::span(change)));
      if (is_directory) {
        add_below(directory / name);
        facts_.update(std::string_view("\0/", 2));
      }
    }
  }
  Digest finish() {
    Digest seal;
    std::copy_n(facts_.finish().bytes.begin(), 16, seal.bytes.begin());
    std::copy_n(changes_.finish().bytes.begin(), 16, seal.bytes.begin() + 16);
    return seal;
  }

 private:
  Hasher facts_;
  Hasher changes_;
};

class TreeSealTest : public ::testing::TestWithParam<int> {
 protected:
  /// So many directories of depth 2, and some files at each depth.
  void fill(int directories) {
    for (int i = 0; i < directories; ++i) {
      fs::create_directories(fmt::format("{}/d{}/sub{}/deep", root(), i % 7, i));
    }
    for (const char* file :
         {"first", "d0/sub0/file", "d0/sub0.txt", "d0/sub0/deep/deeper/file", "d1/last"}) {
      put(file);
    }
  }
  void put(const std::string& path) {
    fs::create_directories(fs::path(root() + "/" + path).parent_path());
    ASSERT_TRUE(write_file(root() + "/" + path, path));
  }
  std::string root() const { return dir_.path(); }

  TempDir dir_ = must(TempDir::create());
};

TEST_P(TreeSealTest, IsThatOfAWalkInOrderWhoeverReadsWhichPart) {
  fill(GetParam());
  PlainWalk walk;
  walk.add_below(root());
  EXPECT_EQ(must(seal_of_tree(root())).digest, walk.finish());
}

TEST_P(TreeSealTest, ShowsAWriteFarBelow) {
  fill(GetParam());
  const TreeSeal before = must(seal_of_tree(root()));
  put("d0/sub0/deep/deeper/file");
  const TreeSeal after = must(seal_of_tree(root()));
  EXPECT_NE(compare_seals(before.digest, after.digest), SealMatch::Same);
}

TEST_P(TreeSealTest, IsTheSameWhereOneDirectoryHasMostOfIt) {
  fill(GetParam());
  for (int i = 0; i < 200; ++i) {
    put(fmt::format("d0/sub0/part{}/deep{}/file{}", i % 10, i % 20, i));
    put(fmt::format("d0/sub0/between{}", i % 9));
  }
  fs::create_symlink("part1", root() + "/d0/sub0/link");
  fs::create_hard_link(root() + "/d0/sub0/part1/deep1/file1", root() + "/d0/sub0/part2/name");
  PlainWalk walk;
  walk.add_below(root());
  const TreeSeal seal = must(seal_of_tree(root()));
  EXPECT_EQ(seal.digest, walk.finish());
  fs::remove(root() + "/d0/sub0/part2/name");
  EXPECT_NE(must(seal_of_tree(root())).digest, seal.digest);
}

TEST_P(TreeSealTest, CountsAFileOfSeveralNamesOnce) {
  fill(GetParam());
  const std::uint64_t before = must(seal_of_tree(root())).disk;
  fs::create_hard_link(root() + "/d0/sub0/file", root() + "/first-of-its-names");
  EXPECT_EQ(must(seal_of_tree(root())).disk, before);
}

INSTANTIATE_TEST_SUITE_P(Directories, TreeSealTest, ::testing::Values(1, 40, 260));

}  // namespace
}  // namespace mybuild::snapshotter::testing

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/stat_index.h"

#include "snapshotter/base/sys.h"
#include "tests/snapshotter/tree_support.h"
#include "tests/support/kill_at_syscall.h"

#include <thread>

namespace mybuild::snapshotter::testing {
namespace {

struct stat stat_of(std::uint64_t inode) {
  struct stat info {};
  info.st_dev = 7;
  info.st_ino = inode;
  info.st_size = 100;
  info.st_mode = S_IFREG | 0644;
  info.st_mtim = {.tv_sec = 1000, .tv_nsec = 123456789};
  info.st_ctim = {.tv_sec = 2000, .tv_nsec = 987654321};
  return info;
}

FileFacts facts_of(std::uint64_t inode) {
  return {.content = Digest::of(std::to_string(inode)), .bare = inode % 2 == 0};
}

class StatIndexTest : public ::testing::Test {
 protected:
  std::unique_ptr<StatIndex> open(const std::string& boot = "this boot",
                                  std::size_t limit = StatIndex::kMaxEntries) const {
    return std::make_unique<StatIndex>(path_, boot, limit);
  }
  void fill(std::uint64_t from, std::uint64_t to) const {
    const auto index = open();
    for (std::uint64_t inode = from; inode < to; ++inode) {
      index->remember(stat_of(inode), facts_of(inode));
    }
    must(index->save());
  }
  /// How many are known; a wrong answer is a failure.
  int known(std::uint64_t from, std::uint64_t to, const std::string& boot = "this boot") const {
    const auto index = open(boot);
    int count = 0;
    for (std::uint64_t inode = from; inode < to; ++inode) {
      if (const auto facts = index->find(stat_of(inode))) {
        EXPECT_EQ(*facts, facts_of(inode)) << inode;
        ++count;
      }
    }
    return count;
  }

  TempDir dir_ = must(TempDir::create());
  std::string path_ = join_path(dir_.path(), "stat-index");
};

TEST_F(StatIndexTest, what_was_remembered_is_found_at_once_and_after_a_save) {
  const auto index = open();
  EXPECT_FALSE(index->find(stat_of(1)));
  index->remember(stat_of(1), facts_of(1));
  EXPECT_EQ(index->find(stat_of(1)), facts_of(1));
  must(index->save());
  EXPECT_EQ(known(1, 2), 1);
  fill(10, 3000);
  EXPECT_EQ(known(0, 4000), 1 + 2990);
}

TEST_F(StatIndexTest, any_difference_in_what_stat_says_is_a_miss) {
  fill(1, 2);
  const auto index = open();
  const std::vector<std::function<void(struct stat&)>> changes = {
      [](struct stat& info) { info.st_dev++; },
      [](struct stat& info) { info.st_ino++; },
      [](struct stat& info) { info.st_size++; },
      [](struct stat& info) { info.st_mtim.tv_nsec++; },
      [](struct stat& info) { info.st_mtim.tv_sec--; },
      [](struct stat& info) { info.st_ctim.tv_nsec++; },
      [](struct stat& info) { info.st_ctim.tv_sec--; },
      [](struct stat& info) { info.st_mode = S_IFREG | 0755; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    struct stat info = stat_of(1);
    changes[i](info);
    EXPECT_FALSE(index->find(info)) << "change " << i;
  }
  EXPECT_TRUE(index->find(stat_of(1)));
}

TEST_F(StatIndexTest, a_damaged_byte_never_gives_a_wrong_answer) {
  fill(1, 9);
  const std::string good = must(read_file(path_));
  for (std::size_t i = 0; i < good.size(); i += i < 96 ? 3 : 11) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    must(write_file(path_, bad));
    EXPECT_GE(known(1, 9), i < 96 ? 0 : 7) << "byte " << i;
  }
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{50}, std::size_t{96}, good.size() - 1, good.size() + 1}) {
    std::string cut = good;
    cut.resize(size);
    must(write_file(path_, cut));
    EXPECT_EQ(known(1, 9), 0) << size << " bytes";
  }
  fill(1, 3);
  EXPECT_EQ(known(1, 9), 2) << "it is made anew";
}

TEST_F(StatIndexTest, another_version_is_ignored_and_replaced) {
  fill(1, 9);
  std::string text = must(read_file(path_));
  text.at(text.find(".v") + 2) = '9';
  must(write_file(path_, text));
  EXPECT_EQ(known(1, 9), 0);
  fill(1, 3);
  EXPECT_EQ(known(1, 9), 2);
}

TEST_F(StatIndexTest, entries_do_not_outlive_a_boot) {
  fill(1, 9);
  EXPECT_EQ(known(1, 9, "another boot"), 0);
}

TEST_F(StatIndexTest, two_writers_lose_nothing_of_each_other) {
  const auto one = open();
  const auto two = open();
  EXPECT_FALSE(one->find(stat_of(1)));
  EXPECT_FALSE(two->find(stat_of(1)));
  one->remember(stat_of(1), facts_of(1));
  two->remember(stat_of(2), facts_of(2));
  must(one->save());
  must(two->save());
  EXPECT_EQ(known(1, 3), 2);
}

TEST_F(StatIndexTest, while_another_process_saves_that_one_wins) {
  fill(1, 2);
  const FileLock lock = must(FileLock::acquire(path_ + ".lock", FileLock::Mode::Exclusive));
  fill(2, 3);
  EXPECT_EQ(known(1, 3), 1);
}

TEST_F(StatIndexTest, what_is_forgotten_is_gone_for_all) {
  fill(1, 4);
  const auto index = open();
  index->forget(stat_of(2));
  EXPECT_FALSE(index->find(stat_of(2)));
  must(index->save());
  EXPECT_EQ(known(1, 4), 2);
}

TEST_F(StatIndexTest, a_build_that_learns_nothing_writes_nothing) {
  fill(1, 9);
  const struct stat before = must(sys::lstat_at(AT_FDCWD, path_));
  const auto index = open();
  EXPECT_TRUE(index->find(stat_of(1)));
  must(index->save());
  EXPECT_EQ(must(sys::lstat_at(AT_FDCWD, path_)).st_ino, before.st_ino);
}

TEST_F(StatIndexTest, what_no_build_saw_for_long_goes_and_what_is_in_use_stays) {
  fill(1, 3);
  for (std::uint32_t save = 0; save <= StatIndex::kForgetAfter; ++save) {
    const auto index = open();
    EXPECT_TRUE(index->find(stat_of(1)));
    index->remember(stat_of(1000), facts_of(1000));
    must(index->save());
  }
  EXPECT_EQ(known(1, 2), 1);
  EXPECT_EQ(known(2, 3), 0);
}

TEST_F(StatIndexTest, use_alone_is_noted_from_time_to_time) {
  fill(1, 2);
  for (std::uint32_t save = 0; save < StatIndex::kForgetAfter / 2; ++save) {
    fill(1000, 1001);
  }
  const auto index = open();
  EXPECT_TRUE(index->find(stat_of(1)));  // learns nothing
  must(index->save());
  for (std::uint32_t save = 0; save < StatIndex::kForgetAfter - 2; ++save) {
    fill(1000, 1001);
  }
  EXPECT_EQ(known(1, 2), 1);
}

TEST_F(StatIndexTest, above_the_limit_those_unseen_for_longest_go) {
  fill(1, 11);
  fill(11, 21);
  const auto index = open("this boot", 15);
  for (std::uint64_t inode = 1; inode < 6; ++inode) {
    EXPECT_TRUE(index->find(stat_of(inode)));
  }
  index->remember(stat_of(30), facts_of(30));
  must(index->save());
  EXPECT_EQ(known(1, 6), 5);
  EXPECT_EQ(known(6, 11), 0);
  EXPECT_EQ(known(11, 21), 9);
  EXPECT_EQ(known(30, 31), 1);
}

TEST_F(StatIndexTest, threads_of_two_processes_never_see_a_wrong_answer) {
  const auto one = open();
  const auto two = open();
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&index = number % 2 == 0 ? *one : *two, number] {
      for (std::uint64_t inode = 1; inode < 1000; ++inode) {
        const struct stat info = stat_of(inode % 50);
        if (const auto facts = index.find(info)) {
          EXPECT_EQ(*facts, facts_of(inode % 50));
        }
        (inode + static_cast<std::uint64_t>(number)) % 7 != 0
            ? index.remember(info, facts_of(inode % 50))
            : index.forget(info);
        if (inode % 100 == 0) {
          must(index.save());
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST_F(StatIndexTest, a_kill_at_any_call_of_a_save_leaves_a_good_one) {
  fill(1, 9);
  for (std::size_t step = 0;; ++step) {
    const KillOutcome outcome = run_and_kill_at_syscall(step, [&] { fill(9, 12); });
    if (outcome == KillOutcome::Impossible) {
      GTEST_SKIP() << "no ptrace(2) here";
    }
    const int count = known(1, 12);
    EXPECT_TRUE(count == 8 || count == 11) << "killed at call " << step << ": " << count;
    if (outcome == KillOutcome::Finished) {
      EXPECT_EQ(count, 11);
      break;
    }
  }
  fill(12, 13);
  EXPECT_EQ(known(1, 13), 12);
}

TEST(IsSettledTest, times_must_lie_before_the_last_tick_and_the_grain_of_the_file_system) {
  const auto settled = [](struct timespec mtime, struct timespec ctime, struct timespec now) {
    struct stat info {};
    info.st_mtim = mtime;
    info.st_ctim = ctime;
    return is_settled(info, now);
  };
  constexpr struct timespec kOld = {.tv_sec = 10, .tv_nsec = 1};
  EXPECT_TRUE(settled(kOld, {100, 500'000'001}, {100, 520'000'000}));
  EXPECT_FALSE(settled(kOld, {100, 500'000'001}, {100, 500'000'001})) << "this very tick";
  EXPECT_FALSE(settled(kOld, {100, 500'000'001}, {100, 504'000'001})) << "perhaps this tick";
  EXPECT_TRUE(settled(kOld, {100, 999'999'999}, {101, 20'000'000}));
  EXPECT_FALSE(settled(kOld, {100, 0}, {102, 0})) << "whole seconds, perhaps two";
  EXPECT_TRUE(settled(kOld, {100, 0}, {103, 0}));
  EXPECT_FALSE(settled(kOld, {100, 300'000'000}, {100, 350'000'000})) << "tenths of a second";
  EXPECT_TRUE(settled(kOld, {100, 300'000'000}, {100, 500'000'000}));
  EXPECT_FALSE(settled(kOld, {100, 1}, {99, 999'999'999})) << "a clock that was set back";
  EXPECT_FALSE(settled({5'000'000'000, 1}, kOld, {100, 0})) << "an mtime in the future";
}

TEST(TellsChangesTest, file_systems_that_nobody_knows_are_not_trusted) {
  const Fd proc = must(sys::open("/proc/self/stat", O_RDONLY));
  EXPECT_FALSE(tells_changes(proc.get()));
  EXPECT_FALSE(tells_changes(-1));
}

}  // namespace
}  // namespace mybuild::snapshotter::testing

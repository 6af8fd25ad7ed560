// SPDX-License-Identifier: Apache-2.0
// Kills the store between any two of its system calls and looks at what a new one finds: each layer
// is there as a whole or not at all, what the dead one left is swept, and the same work can be done
// again.
#include "snapshotter/base/sys.h"
#include "snapshotter/tree_scan.h"
#include "tests/snapshotter/tree_support.h"

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include <array>
#include <csignal>
#include <functional>

namespace mybuild::snapshotter::testing {
namespace {

/// Thousands of stores are made and removed here, so they are in memory where a tree can be.
Result<TempDir> make_root() {
  constexpr const char* kMemory = "/dev/shm";
  if (const Result<TempDir> probe = TempDir::create(kMemory)) {
    if (::setxattr(probe->path().c_str(), "user.k", "v", 1, 0) == 0) {
      return TempDir::create(kMemory);
    }
  }
  return TempDir::create();
}

enum class End { Finished, Killed, Failed };

/// Runs `work` in a child and kills it when it is about to make its call number `limit`.
End run_until(int limit, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL);
  for (int stops = 0; WIFSTOPPED(status); ++stops) {
    if (stops / 2 >= limit) {  // each call stops twice, before and after
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return End::Killed;
    }
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? End::Finished : End::Failed;
}

class StoreCrashTest : public ::testing::Test {
 protected:
  /// `work` opens the store at a root by itself and gives `layer`; tried with a kill at each step,
  /// in turn.
  void kill_everywhere(const std::function<void(const std::string& root)>& work,
                       const Digest& layer, const std::string& wanted) {
    for (int limit = 1;; ++limit) {
      const TempDir root = must(make_root());
      const End end = run_until(limit, [&] { work(root.path()); });
      ASSERT_NE(end, End::Failed) << "at call " << limit;
      {
        TestStore store(root.path());
        const auto tree = must(store.layers->tree(std::array{layer}));
        if (tree) {
          ASSERT_EQ(describe_layers({*tree}), wanted) << "at call " << limit;
        }
        expect_swept(root.path());
        expect_blobs(store, limit);
      }
      work(root.path());
      TestStore store(root.path());
      const auto tree = must(store.layers->tree(std::array{layer}));
      ASSERT_TRUE(tree) << "at call " << limit;
      ASSERT_EQ(describe_layers({*tree}), wanted) << "at call " << limit;
      if (end == End::Finished) {
        EXPECT_GT(limit, 20) << "the work made hardly any calls";
        return;
      }
    }
  }

  static void expect_swept(const std::string& root) {
    const Fd fd = must(sys::open(root + "/tmp", O_RDONLY | O_DIRECTORY));
    EXPECT_TRUE(must(sys::list_dir(fd.get())).empty());
  }

  /// A blob that is remembered is there, and whole.
  static void expect_blobs(TestStore& store, int limit) {
    for (const LayerBlobRow& row : must(store.metadata->layer_blobs())) {
      EXPECT_TRUE(must(store.content->stat(row.blob.digest))) << "at call " << limit;
      EXPECT_TRUE(must(store.content->verify(row.blob.digest))) << "at call " << limit;
    }
  }

  static void fill(const std::string& dir) {
    TreeMaker(dir)
        .file("a/b", "x")
        .hard_link("a/c", "a/b")
        .link("l", "a")
        .dir("d", 0700)
        .whiteout("w")
        .xattr("a/b", "user.k", "v");
  }
};

/// Each record's layer has a tree, or the record went with it; each tree is whole, or gone with its
/// row.
void expect_sound(const std::string& root, int limit) {
  TestStore store(root);
  for (const StoredTree& tree : must(store.layers->stored_trees())) {
    const TreeCondition condition = must(store.layers->check_tree(tree));
    EXPECT_NE(condition, TreeCondition::Changed) << "at call " << limit;
    const auto rows = must(store.metadata->find_records_by_output(tree.diff_id));
    EXPECT_LE(rows.size(), 1U) << "at call " << limit;
  }
  for (const std::string& problem : must(store.metadata->check())) {
    ADD_FAILURE() << problem << " at call " << limit;
  }
}

TEST_F(StoreCrashTest, remove_trees) {
  const auto fill_store = [](const std::string& root) {
    TestStore store(root);
    std::vector<Digest> layers;
    for (const char* text : {"one", "two"}) {
      const TempDir scratch = must(store.layers->scratch());
      TreeMaker(scratch.path() + "/fs").file("a", text);
      layers.push_back(must(store.layers->commit_tree(scratch.path() + "/fs")).diff_id);
      must(store.metadata->put_record({.definition_key = layers.back(),
                                       .content_key = layers.back(),
                                       .output = layers.back(),
                                       .body = "{}",
                                       .created = 1,
                                       .layer = layers.back()}));
    }
    return layers;
  };
  for (int limit = 1;; ++limit) {
    const TempDir root = must(make_root());
    const std::vector<Digest> layers = fill_store(root.path());
    const std::vector<std::string> names = {layers[0].hex(), layers[1].hex()};
    const auto collect = [&] {
      TestStore store(root.path());
      must(store.layers->remove_trees(names));
    };
    const End end = run_until(limit, collect);
    ASSERT_NE(end, End::Failed) << "at call " << limit;
    expect_sound(root.path(), limit);
    {
      TestStore store(root.path());
      for (const Digest& layer : layers) {
        const bool has_record = !must(store.metadata->find_records_by_output(layer)).empty();
        const bool has_tree = must(store.layers->tree(std::array{layer})).has_value();
        EXPECT_TRUE(has_tree || !has_record) << "at call " << limit;
      }
    }
    collect();
    TestStore store(root.path());
    EXPECT_TRUE(must(store.layers->stored_trees()).empty()) << "at call " << limit;
    if (end == End::Finished) {
      EXPECT_GT(limit, 20) << "the work made hardly any calls";
      return;
    }
  }
}

TEST_F(StoreCrashTest, commit_tree) {
  const auto work = [](const std::string& root) {
    TestStore store(root);
    const TempDir scratch = must(store.layers->scratch());
    const std::string dir = scratch.path() + "/fs";
    fill(dir);
    must(store.layers->commit_tree(dir));
  };
  TestStore reference;
  const TempDir scratch = must(reference.layers->scratch());
  fill(scratch.path() + "/fs");
  const std::string wanted = describe_layers({scratch.path() + "/fs"});
  const Layer layer = must(reference.layers->commit_tree(scratch.path() + "/fs"));
  kill_everywhere(work, layer.diff_id, wanted);
}

TEST_F(StoreCrashTest, commit_changes) {
  const TempDir context = must(TempDir::create());
  fill(context.path());
  const auto work = [&](const std::string& root) {
    TestStore store(root);
    const Fd fd = must(sys::open(context.path(), O_RDONLY | O_DIRECTORY));
    const auto contents = must(open_directory_view(context.path()));
    const CompressionSpec form;
    must(store.layers->commit_changes(must(scan_layer_tree(fd.get())).changes, *contents,
                                      std::span(&form, 1)));
  };
  TestStore reference;
  const Fd fd = must(sys::open(context.path(), O_RDONLY | O_DIRECTORY));
  const auto contents = must(open_directory_view(context.path()));
  const Layer layer =
      must(reference.layers->commit_changes(must(scan_layer_tree(fd.get())).changes, *contents));
  const std::string wanted =
      describe_layers({must(reference.layers->tree(std::array{layer.diff_id})).value()});
  kill_everywhere(work, layer.diff_id, wanted);
}

TEST_F(StoreCrashTest, unpack) {
  const LayerBlob blob = blob_of(make_archive({archive_dir("d", 0700), archive_file("d/f", "x"),
                                               archive_hard_link("d/g", "d/f"),
                                               archive_link("l", "d"), archive_whiteout("w")}));
  const auto work = [&](const std::string& root) {
    TestStore store(root);
    Lanes lanes({});
    must(store.layers->unpack({blob}, lanes));
  };
  TestStore reference;
  Lanes lanes({});
  must(reference.layers->unpack({blob}, lanes));
  const std::string wanted =
      describe_layers({must(reference.layers->tree(std::array{blob.diff_id})).value()});
  kill_everywhere(work, blob.diff_id, wanted);
}

}  // namespace
}  // namespace mybuild::snapshotter::testing

// SPDX-License-Identifier: Apache-2.0
// Commits as trees: what is in them, what is asked for, what is kept.
#include "tests/source/git_fixture.h"

#include <thread>

namespace mybuild::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// With the git program, and with libgit2 alone.
class GitSource : public GitFixture, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    use_git_program_ = GetParam();
    GitFixture::SetUp();
    if (!IsSkipped()) {
      make_repository();
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Both, GitSource, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "git" : "libgit2"; });

TEST_P(GitSource, files_are_what_the_commit_has) {
  const SourceTree tree = must(open(source(url("r"))));
  EXPECT_FALSE(tree.time);
  EXPECT_EQ(must(tree.find_time()), 1600000000);
  EXPECT_THAT(names(tree), ElementsAre("d", "f", "run"));
  EXPECT_EQ(text(tree, "d/e/x"), "x\n");
  const auto check = [&tree](const char* path, snapshotter::EntryType type, unsigned mode) {
    const auto entry = must(tree.view->lookup(path));
    ASSERT_TRUE(entry) << path;
    EXPECT_EQ(entry->type, type) << path;
    EXPECT_EQ(entry->mode & 07777U, mode) << path;
    EXPECT_EQ(entry->mtime.tv_sec, 1600000000) << path;
  };
  check("", snapshotter::EntryType::Directory, 0755);
  check("d", snapshotter::EntryType::Directory, 0755);
  check("f", snapshotter::EntryType::File, 0644);
  check("run", snapshotter::EntryType::File, 0755);
  check("d/link", snapshotter::EntryType::Symlink, 0777);
}

TEST_P(GitSource, a_commit_is_fetched_and_checked_out_once) {
  const std::string commit = ask("git -C r rev-parse HEAD");
  const SourceTree first = must(open(source(url("r"), commit)));
  EXPECT_EQ(text(first, "f"), "hi\n");
  ask("mv r gone");
  git_ = sources();
  events_.items.clear();
  const SourceTree second = must(open(source(url("r"), commit)));
  EXPECT_EQ(second.id, first.id);
  EXPECT_EQ(second.time, 1600000000);
  EXPECT_EQ(text(second, "f"), "hi\n");
  EXPECT_EQ(events_.items, "");
  // Another part of it needs a checkout, but no remote.
  solver::GitSource part = source(url("r"), commit);
  part.subdir = "d/e";
  EXPECT_THAT(names(must(open(part))), ElementsAre("x"));
}

TEST_P(GitSource, every_kind_of_name_leads_to_its_commit) {
  ask("cd r && git checkout -q side && echo new >f && git commit -qam two && git checkout -q main");
  const Digest main = must(open(source(url("r")))).id;
  for (const char* ref : {"main", "refs/heads/main", "v1", "light", "refs/tags/v1", "tags/v1"}) {
    EXPECT_EQ(must(open(source(url("r"), ref))).id, main) << ref;
  }
  const SourceTree side = must(open(source(url("r"), "side")));
  EXPECT_NE(side.id, main);
  EXPECT_EQ(text(side, "f"), "new\n");
  ask("cd r && git update-ref refs/pull/1/head side");
  EXPECT_EQ(must(open(source(url("r"), "pull/1/head"))).id, side.id);
}

TEST_P(GitSource, what_was_added_is_fetched_on_top) {
  EXPECT_EQ(text(must(open(source(url("r")))), "f"), "hi\n");
  const std::string old = ask("git -C r rev-parse HEAD");
  ask("cd r && echo more >>f && git commit -qam two && git tag v2");
  EXPECT_EQ(text(must(open(source(url("r")))), "f"), "hi\n") << "asked once per build";
  git_ = sources();
  EXPECT_EQ(text(must(open(source(url("r")))), "f"), "hi\nmore\n");
  EXPECT_EQ(text(must(open(source(url("r"), "v2"))), "f"), "hi\nmore\n");
  ask("cd r && git checkout -q --orphan fresh && git commit -qm three && git branch -f main");
  git_ = sources();
  EXPECT_EQ(text(must(open(source(url("r"), old))), "f"), "hi\n");
  EXPECT_EQ(text(must(open(source(url("r"), "main"))), "f"), "hi\nmore\n");
}

TEST_P(GitSource, an_old_commit_is_found_behind_the_branches) {
  const std::string old = ask("git -C r rev-parse HEAD");
  ask("cd r && git tag -d v1 light && git branch -D side && echo 2 >f && git commit -qam two");
  EXPECT_EQ(text(must(open(source(url("r"), old))), "f"), "hi\n");
  EXPECT_EQ(failure(source(url("r"), std::string(40, 'a'))).kind(), ErrorKind::NotFound);
}

TEST_P(GitSource, a_subdir_is_a_directory_of_the_commit) {
  solver::GitSource part = source(url("r"));
  part.subdir = "d";
  const SourceTree tree = must(open(part));
  EXPECT_THAT(names(tree), ElementsAre("e", "link"));
  EXPECT_NE(tree.id, must(open(source(url("r")))).id);
  ask("cd r && ln -s d/e way && git add . && git commit -qm two");
  git_ = sources();
  const std::pair<const char*, const char*> wrong[] = {{"no/such", "no directory 'no'"},
                                                       {"f", "'f' is a file"},
                                                       {"way", "symbolic link"},
                                                       {"way/x", "symbolic link"}};
  for (const auto& [subdir, message] : wrong) {
    part.subdir = subdir;
    EXPECT_THAT(failure(part).message(), HasSubstr(message)) << subdir;
  }
}

TEST_P(GitSource, a_checksum_that_is_another_commit_names_both) {
  const std::string commit = ask("git -C r rev-parse HEAD");
  solver::GitSource pinned = source(url("r"), "v1");
  pinned.checksum = commit.substr(0, 9);
  EXPECT_TRUE(open(pinned));
  pinned.checksum = "0123456789";
  const Error error = failure(pinned);
  EXPECT_THAT(error.message(), HasSubstr(commit));
  EXPECT_THAT(error.message(), HasSubstr("0123456789"));
}

TEST_P(GitSource, names_that_are_not_there_are_errors_with_a_hint) {
  const Error error = failure(source(url("r"), "sied"));
  EXPECT_THAT(error.message(), HasSubstr("no branch, tag or ref 'sied'"));
  EXPECT_THAT(failure(source(url("r"), "sidee")).hint(), HasSubstr("side"));
  EXPECT_THAT(failure(source(url("none"))).message(), HasSubstr("none"));
  ask("git init -q empty");
  EXPECT_THAT(failure(source(url("empty"))).message(), HasSubstr("HEAD"));
}

TEST_P(GitSource, a_kept_git_directory_works_and_is_always_the_same) {
  solver::GitSource kept = source(url("r"), "v1");
  kept.keep_git_dir = true;
  const SourceTree tree = must(open(kept));
  EXPECT_NE(tree.id, must(open(source(url("r"), "v1"))).id);
  EXPECT_THAT(names(tree), ElementsAre(".git", "d", "f", "run"));
  EXPECT_THAT(text(tree, ".git/config"), HasSubstr(url("r")));
  const auto row = must(store_.metadata->find_git_tree(tree.id));
  const std::string layer = must(store_.layers->tree({&row->diff_id, 1})).value_or("");
  const std::string copy = "rm -rf c && cp -a '" + layer + "' c && cd c && ";
  EXPECT_EQ(ask(copy + "git rev-parse HEAD"), ask("git -C r rev-parse HEAD"));
  EXPECT_EQ(ask(copy + "git describe --tags"), "v1");
  EXPECT_EQ(ask(copy + "git log -1 --format=%s"), "one");
  EXPECT_EQ(ask(copy + "git status --porcelain"), "");
  EXPECT_EQ(ask(copy + "git fsck 2>&1"), "");
  EXPECT_EQ(ask(copy + "git branch --show-current"), "");
  // The same from a mirror that was fetched anew.
  const snapshotter::testing::TestStore other;
  GitSourceDeps elsewhere = deps();
  GitSourceDeps fresh{.root = other.root,
                      .helper = elsewhere.helper,
                      .layers = *other.layers,
                      .metadata = *other.metadata,
                      .events = events_,
                      .clock = clock_,
                      .use_git_program = use_git_program_};
  const auto again =
      must(make_git_sources(fresh)->open(kept, solver::internal_vertex("git"), cancel_));
  EXPECT_THAT(names(again), ElementsAre(".git", "d", "f", "run"));
  EXPECT_EQ(must(other.metadata->find_git_tree(tree.id))->diff_id, row->diff_id);
}

TEST_P(GitSource, a_subdir_has_no_git_directory) {
  solver::GitSource kept = source(url("r"));
  kept.keep_git_dir = true;
  kept.subdir = "d";
  EXPECT_THAT(names(must(open(kept))), ElementsAre("e", "link"));
}

TEST_P(GitSource, attributes_are_applied_as_git_does) {
  ask("cd r && printf '*.txt text eol=crlf\\n*.id ident\\n' >.gitattributes && printf 'a\\nb\\n' "
      ">a.txt\n"
      "printf '*.txt -text\\n' >d/.gitattributes && cp a.txt d/ && echo '$Id$' >k.id\n"
      "echo 'x filter=lfs' >>.gitattributes && echo lfs >x && git add . && git commit -qm two\n"
      "git clone -q . ../clone");
  const SourceTree tree = must(open(source(url("r"))));
  for (const char* path : {"a.txt", "d/a.txt", "k.id", "x"}) {
    EXPECT_EQ(
        text(tree, path),
        ask(std::string("cat clone/") + path + "; echo end").substr(0, text(tree, path).size()))
        << path;
  }
  EXPECT_EQ(text(tree, "a.txt"), "a\r\nb\r\n");
  EXPECT_THAT(text(tree, "k.id"), HasSubstr("$Id: "));
  solver::GitSource part = source(url("r"));
  part.subdir = "d";
  EXPECT_EQ(text(must(open(part)), "a.txt"), "a\nb\n");
}

TEST_P(GitSource, a_mirror_that_broke_is_made_anew) {
  EXPECT_EQ(text(must(open(source(url("r")))), "f"), "hi\n");
  const std::string mirrors = "'" + store_.root + "/git'";
  ask("find " + mirrors +
      " -name '*.pack' -o -path '*/objects/[0-9a-f]*/*' -type f | while read f; do chmod 644 $f\n"
      "head -c 20 /dev/zero | dd of=$f conv=notrunc bs=1 seek=9 2>/dev/null; done");
  solver::GitSource part = source(url("r"));
  part.subdir = "d";
  git_ = sources();
  EXPECT_THAT(names(must(open(part))), ElementsAre("e", "link"));
  // Locks and drafts of killed processes, and a repository that is none any more.
  ask("cd " + mirrors +
      "/* && for r in shallow full; do [ ! -d $r ] || touch $r/shallow.lock $r/HEAD.lock; done\n"
      "mkdir draft");
  ask("cd r && echo 2 >f && git commit -qam two");
  git_ = sources();
  EXPECT_EQ(text(must(open(source(url("r")))), "f"), "2\n");
  ask("cd " + mirrors +
      "/* && rm -f shallow/HEAD full/HEAD && cd - && cd r && echo 3 >f && git commit -qam three");
  git_ = sources();
  EXPECT_EQ(text(must(open(source(url("r")))), "f"), "3\n");
}

TEST_P(GitSource, many_at_once_ask_and_fetch_once) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      solver::GitSource part = source(url("r"), i % 2 == 0 ? "main" : "v1");
      part.subdir = i % 4 < 2 ? "" : "d";
      const auto other = sources();  // as another process would
      const auto tree =
          (i < 4 ? *git_ : *other).open(part, solver::internal_vertex("git"), cancel_);
      ASSERT_TRUE(tree) << tree.error().message();
      EXPECT_EQ(text(*tree, i % 4 < 2 ? "d/e/x" : "e/x"), "x\n");
    });
  }
}

}  // namespace
}  // namespace mybuild::source

// SPDX-License-Identifier: Apache-2.0
// Trees that try to write elsewhere: one clear error each, and nothing outside.
#include "tests/source/git_fixture.h"

namespace mybuild::source {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GitHostile : public GitFixture, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    use_git_program_ = GetParam();
    GitFixture::SetUp();
    if (!IsSkipped()) {
      make_repository();
    }
  }
  /// A repository whose commit has a tree of these entries: "MODE NAME" with the blob "hi", or
  /// "40000 NAME" with a tree that has the file x. NAME may have escapes of printf.
  void make_tree(const std::vector<std::string>& entries) {
    std::string script =
        "rm -rf h && git init -q h && cd h && blob=$(echo hi | git hash-object -w --stdin)\n"
        "inner=$(printf '100644 blob %s\\tx\\n' $blob | git mktree)\n"
        "raw() { printf \"$(echo $1 | sed 's/../\\\\\\\\x&/g')\"; }\n"
        ": >../tree\n";
    for (const std::string& entry : entries) {
      const char* id = entry.starts_with("40000") ? "$inner" : "$blob";
      script += "{ printf '" + entry + "\\000'; echo " + id + " | python3 -c 'import sys; " +
                "sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read().strip()))'; } >>../tree\n";
    }
    script +=
        "tree=$(git hash-object -t tree -w --literally ../tree)\n"
        "git update-ref refs/heads/main $(git commit-tree -m bad $tree)";
    ask(script);
  }
};
INSTANTIATE_TEST_SUITE_P(Both, GitHostile, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "git" : "libgit2"; });

TEST_P(GitHostile, names_that_are_no_names_are_refused) {
  const std::vector<std::vector<std::string>> trees = {
      {"100644 .."},
      {"40000 .."},
      {"100644 ."},
      {"40000 .git"},
      {"40000 .GiT"},
      {"100644 .git"},
      {"100644 a/b"},
      {"100644 ../../../../../tmp/eng-git-escaped"},
      {"100644 /etc/escaped"},
      {"100644 "},
      {"100644 a", "100644 a"},
      {"120000 a", "40000 a"},
      {"40000 a", "120000 a"},
      {"100644 a", "40000 a"}};
  for (const auto& tree : trees) {
    make_tree(tree);
    git_ = sources();
    const Error error = failure(source(url("h")));
    EXPECT_THAT(error.message(), ::testing::Not(HasSubstr("there is no error"))) << tree[0];
    EXPECT_NE(error.kind(), ErrorKind::Internal) << tree[0] << ": " << error.message();
    EXPECT_FALSE(sys::exists_at(AT_FDCWD, "/tmp/eng-git-escaped"));
    EXPECT_FALSE(sys::exists_at(AT_FDCWD, "/etc/escaped"));
  }
  EXPECT_THAT(ask("find '" + store_.root + "/tmp' -mindepth 2"), IsEmpty());
}

TEST_P(GitHostile, links_lead_where_they_want_and_nothing_is_written_through_them) {
  ask("git init -q l && cd l && ln -s /etc out && ln -s ../../.. up && git add . && git commit -qm "
      "l");
  const SourceTree tree = must(open(source(url("l"))));
  EXPECT_THAT(names(tree), ElementsAre("out", "up"));
  EXPECT_EQ(must(tree.view->lookup("out"))->link, "/etc");
  ask("cd l && empty=$(git hash-object -w --stdin </dev/null) &&\n"
      "tree=$(printf '120000 blob %s\\tlink\\n' $empty | git mktree) &&\n"
      "git update-ref refs/heads/main $(git commit-tree -m bad $tree)");
  git_ = sources();
  EXPECT_THAT(failure(source(url("l"))).message(), HasSubstr("link"));
}

TEST_P(GitHostile, a_tree_that_holds_itself_many_times_is_refused_before_it_is_written) {
  ask("git init -q b && cd b && blob=$(echo x | git hash-object -w --stdin)\n"
      "tree=$(for i in 1 2 3 4 5 6 7 8 9 10; do printf '100644 blob %s\\tf%s\\n' $blob $i; done | "
      "git mktree)\n"
      "for level in 1 2 3 4 5 6 7 8 9; do\n"
      "tree=$(for i in 1 2 3 4 5 6 7 8 9 10; do printf '040000 tree %s\\td%s\\n' $tree $i; done | "
      "git mktree); done\n"
      "git update-ref refs/heads/main $(git commit-tree -m bomb $tree)");
  EXPECT_THAT(failure(source(url("b"))).message(), HasSubstr("2000000 files"));
  ask("git init -q deep && cd deep && blob=$(echo x | git hash-object -w --stdin)\n"
      "tree=$(printf '100644 blob %s\\tf\\n' $blob | git mktree); i=0\n"
      "while [ $i -lt 300 ]; do tree=$(printf '040000 tree %s\\td\\n' $tree | git mktree); "
      "i=$((i+1)); done\n"
      "git update-ref refs/heads/main $(git commit-tree -m deep $tree)");
  EXPECT_THAT(failure(source(url("deep"))).message(), HasSubstr("200 deep"));
}

TEST_P(GitHostile, what_a_repository_configures_is_not_run) {
  ask("cd r && printf '#!/bin/sh\\ntouch ran\\n' >.git/hooks/post-checkout && chmod 755 "
      ".git/hooks/post-checkout\n"
      "git config core.fsmonitor 'touch ran' && git config uploadpack.packObjectsHook 'touch ran'\n"
      "printf '* filter=evil\\n' >.gitattributes && git config filter.evil.smudge 'touch ran'\n"
      "git -c core.fsmonitor= add . && git -c core.fsmonitor= commit -qm two; rm -f ran");
  EXPECT_EQ(text(must(open(source(url("r")))), "f"), "hi\n");
  EXPECT_EQ(ask("find . -name ran"), "");
}

TEST_P(GitHostile, remotes_and_refs_that_are_options_are_refused) {
  for (const char* remote : {"--upload-pack=touch x", "ext::sh -c x", "-x", "/srv/x"}) {
    EXPECT_NE(failure(source(remote)).message(), "there is no error") << remote;
  }
  for (const char* ref :
       {"--upload-pack=touch x", "-x", "a b", "a\nb", "../../x", "HEAD~1", "@{u}"}) {
    EXPECT_EQ(failure(source(url("r"), ref)).kind(), ErrorKind::NotFound) << ref;
  }
}

}  // namespace
}  // namespace mybuild::source

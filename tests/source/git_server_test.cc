// SPDX-License-Identifier: Apache-2.0
// Git over HTTP: credentials, redirects, submodules, old and bad servers.
#include "tests/source/git_fixture.h"

#include <thread>

namespace mybuild::source {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class GitServer : public GitServerFixture, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    use_git_program_ = GetParam();
    GitServerFixture::SetUp();
    if (!IsSkipped()) {
      make_repository();
    }
  }
  /// A repository `name` with the submodule `url` at lib, which is the commit of r.
  void make_parent(const std::string& name, const std::string& url,
                   const std::string& path = "lib") {
    ask("git init -q " + name + " && cd " + name + " && echo top >top\n" +
        (url.empty() ? ""
                     : "printf '[submodule \"m\"]\\n\\tpath = " + path + "\\n\\turl = " + url +
                           "\\n' >.gitmodules\n") +
        "git add . && git update-index --add --cacheinfo 160000,$(git -C ../r rev-parse HEAD)," +
        path + "\ngit commit -qm parent");
  }
};
INSTANTIATE_TEST_SUITE_P(Both, GitServer, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "git" : "libgit2"; });

TEST_P(GitServer, smart_and_old_servers_serve) {
  for (const char* how : {"smart", "old", "moved"}) {
    EXPECT_EQ(text(must(open(source(http(how) + "/r"))), "d/e/x"), "x\n") << how;
    EXPECT_EQ(text(must(open(source(http(how) + "/r", "v1"))), "f"), "hi\n") << how;
  }
}

TEST_P(GitServer, a_commit_that_is_there_sends_no_request) {
  const std::string commit = ask("git -C r rev-parse HEAD");
  EXPECT_EQ(text(must(open(source(http("smart/r"), commit))), "f"), "hi\n");
  const std::string before = log();
  git_ = sources();
  solver::GitSource part = source(http("smart/r"), commit);
  part.subdir = "d";
  EXPECT_THAT(names(must(open(part))), ElementsAre("e", "link"));
  EXPECT_EQ(log(), before);
}

TEST_P(GitServer, plain_web_servers_need_the_git_program) {
  ask("git -C r update-server-info && mv r/.git dumb.git");
  const Result<SourceTree> tree = open(source(http("dumb/dumb.git"), "main"));
  if (GetParam()) {
    ASSERT_TRUE(tree) << tree.error().message();
    EXPECT_EQ(text(*tree, "f"), "hi\n");
  } else {
    ASSERT_FALSE(tree);
    EXPECT_THAT(tree.error().hint(), HasSubstr("git program"));
  }
}

TEST_P(GitServer, a_token_opens_what_is_closed_without) {
  const Error closed = failure(source(http("auth/r")));
  EXPECT_EQ(closed.kind(), ErrorKind::Denied) << closed.message();
  EXPECT_THAT(closed.hint(), HasSubstr("GIT_AUTH_TOKEN.127.0.0.1:" + port_));
  secrets_.values = {{"GIT_AUTH_TOKEN", "wrong"}};
  const Error wrong = failure(source(http("auth/r")));
  EXPECT_EQ(wrong.kind(), ErrorKind::Denied) << wrong.message();
  EXPECT_THAT(wrong.message(), HasSubstr("refuses"));
  EXPECT_THAT(wrong.message(), Not(HasSubstr("wrong")));
  secrets_.values = {{"GIT_AUTH_TOKEN", "wrong"},
                     {"GIT_AUTH_TOKEN.127.0.0.1:" + port_, "sesame\n"}};
  EXPECT_EQ(text(must(open(source(http("auth/r")))), "f"), "hi\n");
  EXPECT_EQ(run("grep -rE 'sesame|eC1hY2Nlc3M' '" + store_.root + "'"), 1);
}

TEST_P(GitServer, user_and_password_of_a_url_work_and_are_never_shown) {
  const std::string remote = "http://x-access-token:sesame@127.0.0.1:" + port_ + "/auth/r";
  solver::GitSource kept = source(remote);
  kept.keep_git_dir = true;
  const SourceTree tree = must(open(kept));
  EXPECT_EQ(text(tree, "f"), "hi\n");
  EXPECT_THAT(text(tree, ".git/config"), Not(HasSubstr("sesame")));
  EXPECT_THAT(failure(source(remote, "nope")).message(), Not(HasSubstr("sesame")));
}

TEST_P(GitServer, a_redirect_to_another_host_gets_no_credentials) {
  secrets_.values = {{"GIT_AUTH_TOKEN", "sesame"}};
  EXPECT_NE(failure(source(http("away/r"))).message(), "there is no error");
  EXPECT_THAT(log(), HasSubstr("/away/r/info/refs auth"));
  EXPECT_THAT(log(), Not(HasSubstr("/auth/r/info/refs auth")));
  // One that needs none gets none either, also not when the files are fetched.
  (void)failure(source(http("abroad/r")));
  EXPECT_THAT(log(), Not(::testing::ContainsRegex("/smart/[^ ]* auth")));
}

TEST_P(GitServer, a_redirect_on_the_same_host_is_followed_with_credentials) {
  secrets_.values = {{"GIT_AUTH_TOKEN", "sesame"}};
  EXPECT_EQ(text(must(open(source(http("moved/r")))), "f"), "hi\n");
}

TEST_P(GitServer, submodules_come_along) {
  make_parent("p", "../r");
  ask("git init -q g && cd g && printf '[submodule \"n\"]\\npath=sub\\nurl=" + http("smart/p") +
      "\\n' >.gitmodules\ngit add . && git update-index --add --cacheinfo 160000,$(git -C ../p "
      "rev-parse HEAD),sub"
      " && git commit -qm g");
  const SourceTree tree = must(open(source(http("smart/g"))));
  EXPECT_EQ(text(tree, "sub/lib/f"), "hi\n");
  EXPECT_EQ(text(tree, "sub/top"), "top\n");
  EXPECT_EQ(must(tree.view->lookup("sub/lib"))->mtime.tv_sec, 1600000000);
  solver::GitSource inside = source(http("smart/g"));
  inside.subdir = "sub/lib/d";
  EXPECT_THAT(names(must(open(inside))), ElementsAre("e", "link"));
  solver::GitSource without = source(http("smart/g"));
  without.submodules = false;
  EXPECT_THAT(names(must(open(without)), "sub"), ElementsAre());
  solver::GitSource kept = source(http("smart/p"));
  kept.keep_git_dir = true;
  const SourceTree with_git = must(open(kept));
  EXPECT_EQ(text(with_git, "lib/f"), "hi\n");
  const auto row = must(store_.metadata->find_git_tree(with_git.id));
  const std::string layer = must(store_.layers->tree({&row->diff_id, 1})).value_or("");
  EXPECT_EQ(ask("cp -a '" + layer + "' c && cd c && git status --porcelain"), "");
}

TEST_P(GitServer, submodules_of_credentials_get_them_from_their_own_host_only) {
  secrets_.values = {{"GIT_AUTH_TOKEN", "sesame"}};
  make_parent("p", "../../auth/r");
  EXPECT_EQ(text(must(open(source(http("auth/p")))), "lib/f"), "hi\n");
  make_parent("q", "http://localhost:" + port_ + "/auth/r");
  ask("rm -rf '" + store_.root + "/git'");
  EXPECT_EQ(failure(source(http("auth/q"))).kind(), ErrorKind::Denied);
}

TEST_P(GitServer, submodules_that_lead_elsewhere_are_refused) {
  const std::pair<const char*, const char*> cases[] = {
      {"file:///etc", "file: is refused"},   {"/etc", "path of this machine"},
      {"ext::sh -c x", "refused"},           {"-x", "refused"},
      {"--upload-pack=x", "refused"},        {"../../../../../x", "leads out"},
      {"ssh://-oProxyCommand=x/y", "-opro"}, {"", "no URL"}};
  int number = 0;
  for (const auto& [bad, message] : cases) {
    const std::string name = "bad" + std::to_string(number++);
    make_parent(name, bad);
    const Error error = failure(source(http("smart/" + name)));
    EXPECT_THAT(error.message(), HasSubstr(message)) << bad;
    // Some are refused with all of the repository, by git's own checks.
    EXPECT_THAT(error.message(), ::testing::AnyOf(HasSubstr("submodule lib"), HasSubstr("fsck")))
        << bad;
  }
  EXPECT_THAT(failure(source(http("smart/bad7"))).hint(), HasSubstr("submodules=false"));
  make_parent("local", "../r");
  EXPECT_THAT(failure(source(url("local"))).message(), HasSubstr("this machine"));
  ask("git init -q link && cd link && blob=$(printf x | git hash-object -w --stdin)\n"
      "tree=$(printf '120000 blob %s\\t.gitmodules\\n' $blob | git mktree)\n"
      "git update-ref refs/heads/main $(git commit-tree -m l $tree)");
  EXPECT_NE(failure(source(http("smart/link"))).message(), "there is no error");
}

TEST_P(GitServer, a_submodule_of_itself_ends) {
  ask("git init -q s && cd s && printf '[submodule \"s\"]\\npath=s\\nurl=../s\\n' >.gitmodules && "
      "git add .\n"
      "git commit -qm 0; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do\n"
      "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),s && git commit -qm $i; "
      "done");
  EXPECT_THAT(failure(source(http("smart/s"))).message(), HasSubstr("10 deep"));
}

TEST_P(GitServer, a_server_that_stalls_is_left) {
  stall_ = 500ms;
  git_ = sources();
  const Error error = failure(source(http("stall/r")));
  EXPECT_EQ(error.kind(), ErrorKind::Deadline);
  EXPECT_THAT(error.message(), HasSubstr("stalls"));
}

TEST_P(GitServer, cancel_ends_a_request_at_once) {
  std::jthread other([this] {
    std::this_thread::sleep_for(300ms);
    cancel_.request(make_error(ErrorKind::Cancelled, "enough"));
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(failure(source(http("stall/r"))).kind(), ErrorKind::Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_P(GitServer, bad_servers_are_errors_in_bounded_time) {
  for (const char* how : {"garbage", "close", "endless", "missing"}) {
    const Error error = failure(source(http(how) + "/r"));
    EXPECT_THAT(error.message(), HasSubstr(http(how))) << error.message();
    EXPECT_LT(error.message().size(), 2000U) << how;
  }
  const Error chatty = failure(source(http("chatty/r"), "main"));
  EXPECT_THAT(chatty.message(), Not(HasSubstr("there is no error")));
  const Error hostile = failure(source(http("hostile/r"), "nope"));
  EXPECT_THAT(hostile.message() + hostile.hint(), Not(HasSubstr("..")));
}

}  // namespace
}  // namespace mybuild::source

// SPDX-License-Identifier: Apache-2.0
// Git over ssh: a sshd on loopback, an agent of ours for a key file, known hosts.
#include "builder/secrets/given_agents.h"
#include "tests/source/git_fixture.h"

#include <cstdlib>
#include <thread>

namespace mybuild::source {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class GitSsh : public GitFixture, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    use_git_program_ = GetParam();
    GitFixture::SetUp();
    if (IsSkipped()) {
      return;
    }
    if (run("command -v sshd && command -v ssh-keygen && mkdir -p /run/sshd") != 0) {
      GTEST_SKIP() << "sshd is not installed, or /run/sshd cannot be made";
    }
    make_repository();
    ask("mkdir -p home/.ssh && ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 "
        "-N '' -f key");
    ::setenv("HOME", (work_.path() + "/home").c_str(), 1);
    port_ =
        ask("python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); "
            "print(s.getsockname()[1])'");
    must(write_file(work_.path() + "/sshd_config",
                    "ListenAddress 127.0.0.1\nPort " + port_ + "\nHostKey " + work_.path() +
                        "/host\nAuthorizedKeysFile " + work_.path() +
                        "/key.pub\nStrictModes no\nPermitRootLogin yes\nPidFile none\n"
                        "SetEnv GIT_CONFIG_GLOBAL=" +
                        work_.path() + "/gitconfig\n"));
    ask("printf '[safe]\\n\\tdirectory = *\\n' >>gitconfig");
    Child::Options options;
    options.argv = {"/usr/sbin/sshd", "-D", "-e", "-f", work_.path() + "/sshd_config"};
    options.env = {"PATH=/usr/bin:/bin"};
    const Fd nothing = must(sys::open("/dev/null", O_RDWR));
    options.fds = {{nothing.get(), 0}, {nothing.get(), 1}, {nothing.get(), 2}};
    server_.emplace(must(Child::spawn(options)));
    ask("for i in $(seq 100); do python3 -c 'import socket; "
        "socket.create_connection((\"127.0.0.1\", " +
        port_ + "))' 2>/dev/null && break || sleep 0.05; done");
    agents_ =
        must(secrets::open_agents({{.id = "default", .paths = {work_.path() + "/key"}}}, cancel_));
  }
  std::unique_ptr<GitSources> with_agent() {
    GitSourceDeps deps = this->deps();
    deps.agents = agents_.get();
    return make_git_sources(std::move(deps));
  }
  std::string ssh_url() {
    return "ssh://" + ask("id -un") + "@127.0.0.1:" + port_ + work_.path() + "/r";
  }
  std::string host_line() {
    return "[127.0.0.1]:" + port_ + " " + ask("cut -d' ' -f1,2 host.pub") + "\n";
  }
  void know(const std::string& lines) {
    must(write_file(work_.path() + "/home/.ssh/known_hosts", lines));
  }

  std::string port_;
  std::optional<Child> server_;
  std::unique_ptr<secrets::AgentSource> agents_;
};
INSTANTIATE_TEST_SUITE_P(Both, GitSsh, ::testing::Bool(),
                         [](const auto& with) { return with.param ? "git" : "libgit2"; });

TEST_P(GitSsh, an_agent_opens_the_door_and_unknown_hosts_are_named) {
  const Error without = failure(source(ssh_url()));
  EXPECT_EQ(without.kind(), ErrorKind::Denied) << without.message();
  EXPECT_THAT(without.hint(), HasSubstr("--ssh default"));
  git_ = with_agent();
  EXPECT_EQ(text(must(open(source(ssh_url(), "v1"))), "f"), "hi\n");
  EXPECT_THAT(events_.warnings, HasSubstr(ask("ssh-keygen -lf host.pub | cut -d' ' -f2")));
  EXPECT_EQ(ask("cat home/.ssh/known_hosts 2>/dev/null || true"), "");
  // A commit by its id is not asked for first.
  events_.warnings.clear();
  ask("rm -rf '" + store_.root + "/git'");
  solver::GitSource part = source(ssh_url(), ask("git -C r rev-parse HEAD"));
  part.subdir = "d";
  EXPECT_THAT(names(must(open(part))), ::testing::ElementsAre("e", "link"));
  EXPECT_THAT(events_.warnings, HasSubstr(ask("ssh-keygen -lf host.pub | cut -d' ' -f2")));
}

TEST_P(GitSsh, known_hosts_are_held_to) {
  git_ = with_agent();
  know(host_line());
  EXPECT_EQ(text(must(open(source(ssh_url(), "v1"))), "f"), "hi\n");
  EXPECT_EQ(events_.warnings, "");
  know("[127.0.0.1]:" + port_ + " " + ask("cut -d' ' -f1,2 key.pub") + "\n");
  git_ = with_agent();
  EXPECT_EQ(failure(source(ssh_url())).kind(), ErrorKind::Denied);
  ask("rm -rf '" + store_.root + "/git'");
  solver::GitSource part = source(ssh_url(), ask("git -C r rev-parse HEAD"));
  part.subdir = "d";
  const Error error = failure(part);
  EXPECT_EQ(error.kind(), ErrorKind::Denied) << error.message();
}

TEST_P(GitSsh, a_key_that_the_server_does_not_know_is_an_error) {
  ask("ssh-keygen -q -t ed25519 -N '' -f other");
  agents_ =
      must(secrets::open_agents({{.id = "default", .paths = {work_.path() + "/other"}}}, cancel_));
  git_ = with_agent();
  const Error error = failure(source(ssh_url()));
  EXPECT_EQ(error.kind(), ErrorKind::Denied) << error.message();
  EXPECT_THAT(error.message(), HasSubstr("no key of the ssh agent"));
}

}  // namespace
}  // namespace mybuild::source

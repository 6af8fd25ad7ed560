// SPDX-License-Identifier: Apache-2.0
// Repositories made by the git program, a store, and a web server that serves them.
#pragma once

#include "builder/source/git_source.h"
#include "snapshotter/base/child.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "tests/snapshotter/tree_support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::source {

/// Keeps warnings and the names of what progressed.
class GitEvents final : public solver::EventSink {
 public:
  void on_event(solver::Event event) override {
    const std::lock_guard lock(mutex);
    if (const auto* warning = std::get_if<solver::Warning>(&event)) {
      warnings += warning->message + "\n";
    } else if (const auto* progress = std::get_if<solver::Progress>(&event)) {
      items += progress->item + "\n";
    }
  }
  std::mutex mutex;
  std::string warnings;
  std::string items;
};

class MapSecrets final : public secrets::SecretSource {
 public:
  Result<std::optional<std::string>> get(const std::string& id, const Cancel&) override {
    const auto found = values.find(id);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, std::string> values;
};

class GitFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    if (run("git --version") != 0) {
      GTEST_SKIP() << "the git program is not installed";
    }
    must(write_file(work_.path() + "/gitconfig",
                    "[user]\n\tname = T\n\temail = t@example\n[init]\n\tdefaultBranch = main\n"
                    "[protocol \"file\"]\n\tallow = always\n[uploadpack]\n\tallowFilter = true\n"));
    git_ = sources();
  }

  /// A shell command in the work directory; its exit code.
  int run(const std::string& script, std::string* output = nullptr) {
    Child::Options options;
    options.argv = {"/bin/sh", "-ec", "cd '" + work_.path() + "'\n" + script};
    options.env = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                   "HOME=" + work_.path(),
                   "LC_ALL=C",
                   "GIT_CONFIG_NOSYSTEM=1",
                   "GIT_CONFIG_GLOBAL=" + work_.path() + "/gitconfig",
                   "GIT_AUTHOR_DATE=1600000000 +0000",
                   "GIT_COMMITTER_DATE=1600000000 +0000"};
    Pipe out = must(sys::pipe());
    Fd nothing = must(sys::open("/dev/null", O_RDWR));
    options.fds = {{nothing.get(), 0}, {out.write_end.get(), 1}, {nothing.get(), 2}};
    Child child = must(Child::spawn(options));
    out.write_end.reset();
    const std::string text = must(sys::read_to_end(out.read_end.get()));
    if (output != nullptr) {
      *output = text.substr(0, text.find_last_not_of('\n') + 1);
    }
    return must(child.wait()).code;
  }
  std::string ask(const std::string& script) {
    std::string output;
    EXPECT_EQ(run(script, &output), 0) << script;
    return output;
  }
  /// A repository "r" with files of every kind, the tags v1 (annotated) and light.
  void make_repository() {
    ask("git init -q r && cd r && mkdir -p d/e && echo hi >f && echo x >d/e/x && ln -s ../f "
        "d/link\n"
        "printf '#!/bin/sh\\n' >run && chmod 755 run && git add . && git commit -qm one\n"
        "git tag -a v1 -m tag && git tag light && git branch side");
  }

  GitSourceDeps deps() {
    return {.root = store_.root,
            .helper = MYBUILD_BINARY_DIR "/bin/mybuild-git",
            .layers = *store_.layers,
            .metadata = *store_.metadata,
            .events = events_,
            .clock = clock_,
            .secrets = &secrets_,
            .agents = nullptr,
            .stall = stall_,
            .use_git_program = use_git_program_};
  }
  std::unique_ptr<GitSources> sources() { return make_git_sources(deps()); }
  std::string url(const std::string& repository) {
    return "file://" + work_.path() + "/" + repository;
  }
  solver::GitSource source(const std::string& remote, const std::string& ref = "") {
    solver::GitSource source;
    source.remote = remote;
    source.ref = ref;
    return source;
  }
  Result<SourceTree> open(const solver::GitSource& source) {
    return git_->open(source, solver::internal_vertex("git"), cancel_);
  }
  /// The error of opening or of the first look.
  Error failure(const solver::GitSource& source) {
    const Result<SourceTree> tree = open(source);
    if (!tree) {
      return tree.error();
    }
    const auto names = tree->view->list("");
    return names ? internal_error("there is no error") : names.error();
  }
  static std::string text(const SourceTree& tree, const std::string& path) {
    const auto found = tree.view->read_small(path, 1 << 20);
    return !found ? "error: " + found.error().message() : found->value_or("missing");
  }
  static std::vector<std::string> names(const SourceTree& tree, const std::string& path = "") {
    const auto found = tree.view->list(path);
    return found ? *found : std::vector<std::string>{"error: " + found.error().message()};
  }

  template <class T>
  static T must(Result<T> result) {
    EXPECT_TRUE(result) << result.error().message();
    return std::move(result).value();
  }
  static void must(Status status) { EXPECT_TRUE(status) << status.error().message(); }

  TempDir work_ = must(TempDir::create());
  snapshotter::testing::TestStore store_;
  GitEvents events_;
  SystemClock clock_;
  MapSecrets secrets_;
  Cancel cancel_;
  std::chrono::milliseconds stall_{20'000};
  bool use_git_program_ = true;
  std::unique_ptr<GitSources> git_;
};

/// With tests/support/git_server.py over the work directory.
class GitServerFixture : public GitFixture {
 protected:
  void SetUp() override {
    GitFixture::SetUp();
    if (IsSkipped()) {
      return;
    }
    Pipe in = must(sys::pipe());
    Pipe out = must(sys::pipe());
    Child::Options options;
    options.argv = {"python3", MYBUILD_SOURCE_DIR "/tests/support/git_server.py", work_.path()};
    options.env = {"PATH=/usr/local/bin:/usr/bin:/bin"};
    options.fds = {{in.read_end.get(), 0}, {out.write_end.get(), 1}, {2, 2}};
    server_.emplace(must(Child::spawn(options)));
    stop_ = std::move(in.write_end);
    std::array<std::byte, 16> port{};
    const std::size_t size = must(sys::read(out.read_end.get(), port));
    port_ = as_text(ByteSpan(port).first(size));
    port_.erase(port_.find_last_not_of('\n') + 1);
  }
  std::string http(const std::string& path) { return "http://127.0.0.1:" + port_ + "/" + path; }
  std::string log() {
    return ask("python3 -c \"import urllib.request as u; print(u.urlopen('" + http("log") +
               "').read().decode())\"");
  }

  std::optional<Child> server_;
  Fd stop_;
  std::string port_;
};

}  // namespace mybuild::source

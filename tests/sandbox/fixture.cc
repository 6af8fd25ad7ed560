// SPDX-License-Identifier: Apache-2.0
#include "tests/sandbox/fixture.h"

#include "builder/sandbox/rights.h"
#include "snapshotter/base/sys.h"

#include <stdlib.h>
#include <unistd.h>

namespace mybuild::sandbox {

void SandboxTest::SetUp() {
  if (!has_sys_admin()) {
    GTEST_SKIP() << "CAP_SYS_ADMIN is missing: run as root";
  }
  if (::access("/bin/busybox", X_OK) != 0) {
    GTEST_SKIP() << "/bin/busybox is missing: install busybox-static";
  }
  auto dir = TempDir::create();
  ASSERT_TRUE(dir) << dir.error().message();
  dir_.emplace(std::move(dir).value());
  sandbox_ = make_sandbox(std::string(MYBUILD_BINARY_DIR) + "/bin/mybuild-sandbox");
  for (const auto& [from, to] :
       {std::pair{std::string("/bin/busybox"), "bin/busybox"},
        {std::string(MYBUILD_BINARY_DIR) + "/bin/sandbox_inspector", "bin/inspector"}}) {
    const auto bytes = read_file(from);
    ASSERT_TRUE(bytes) << bytes.error().message();
    put(std::string("base/") + to, *bytes, 0755);
  }
  for (const char* tool :
       {"sh",    "true", "cat",      "id",    "ls",   "ps",    "sleep", "stat",     "mkdir", "rm",
        "touch", "kill", "readlink", "mount", "ip",   "mv",    "chmod", "hostname", "head",  "wc",
        "grep",  "sed",  "rmdir",    "find",  "sort", "mknod", "ln",    "cut"}) {
    ASSERT_TRUE(sys::symlink_at("busybox", AT_FDCWD, base() + "/bin/" + tool));
  }
  if (::getenv("MYBUILD_TEST_STEPS_AHEAD") != nullptr) {
    run_two_steps();
  }
}

void SandboxTest::run_two_steps() {
  output_of("true");
  output_of("true");
}

std::string SandboxTest::make_dir(const std::string& name) {
  const Status made = make_dirs(path(name));
  EXPECT_TRUE(made) << made.error().message();
  return path(name);
}

void SandboxTest::put(const std::string& name, const std::string& text, mode_t mode) {
  const std::string file = path(name);
  make_dir(name.substr(0, name.find('/') == std::string::npos ? 0 : name.rfind('/')));
  const Status written = write_file(file, text, mode);
  ASSERT_TRUE(written) << written.error().message();
  ASSERT_TRUE(sys::fchmod_at(AT_FDCWD, file, mode));
}

SandboxPlan SandboxTest::shell_plan(const std::string& script) {
  ++count_;
  SandboxPlan plan;
  plan.root.lower = {base()};
  plan.root.upper = make_dir(fmt::format("upper{}", count_));
  plan.root.work = make_dir(fmt::format("work{}", count_));
  plan.argv = {"sh", "-c", script};
  plan.env = {"PATH=/bin"};
  return plan;
}

Ran SandboxTest::run(const SandboxPlan& plan, const std::vector<int>& fds, int signals) {
  Ran ran;
  Stdio stdio;
  stdio.on_output = [&ran](int stream, std::string_view bytes) {
    (stream == 1 ? ran.out : ran.err).append(bytes);
  };
  ran.exit = sandbox_->run(plan, std::move(stdio), cancel_, fds, signals);
  return ran;
}

std::string SandboxTest::output_of(const SandboxPlan& plan) {
  Ran ran = run(plan);
  EXPECT_TRUE(ran.exit) << ran.exit.error().message();
  if (ran.exit) {
    EXPECT_TRUE(ran.exit->status.success())
        << ran.exit->status.code << " " << ran.err << ran.exit->start_error;
  }
  return ran.out;
}

}  // namespace mybuild::sandbox

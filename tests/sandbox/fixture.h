// SPDX-License-Identifier: Apache-2.0
// A busybox root in layers and shorthands for running something in it.
#pragma once

#include "builder/sandbox/sandbox.h"
#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::sandbox {

/// What a run printed and how it ended.
struct Ran {
  Result<SandboxExit> exit = SandboxExit();
  std::string out;
  std::string err;
};

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override;

  /// A plan over the busybox layer and a fresh upper directory that runs a shell script.
  SandboxPlan shell_plan(const std::string& script);
  Ran run(const SandboxPlan& plan, const std::vector<int>& fds = {}, int signals = -1);
  /// Standard output of a script that has to succeed.
  std::string output_of(const SandboxPlan& plan);
  std::string output_of(const std::string& script) { return output_of(shell_plan(script)); }

  /// From here on each step finds a process that waits for it, with its frame made.
  void run_two_steps();

  std::string path(const std::string& name) const { return dir_->path() + "/" + name; }
  /// Makes a directory below the test's own.
  std::string make_dir(const std::string& name);
  void put(const std::string& name, const std::string& text, mode_t mode = 0644);

  std::string base() const { return path("base"); }
  std::string upper() const { return path(fmt::format("upper{}", count_)); }

  std::unique_ptr<Sandbox> sandbox_;
  Cancel cancel_;

 private:
  std::optional<TempDir> dir_;
  int count_ = 0;
};

}  // namespace mybuild::sandbox

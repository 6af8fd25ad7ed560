// SPDX-License-Identifier: Apache-2.0
// Runs another tool, to hear a second opinion about our bytes.
#pragma once

#include "snapshotter/base/child.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace mybuild::snapshotter {

/// What the program prints. The test fails when it cannot be started or does not succeed.
inline std::string output_of(std::vector<std::string> argv) {
  Result<Pipe> pipe = sys::pipe();
  Child::Options options;
  options.argv = std::move(argv);
  options.env = {std::string("PATH=") + std::getenv("PATH"), "HOME=/tmp", "LC_ALL=C.UTF-8"};
  options.fds = {{pipe->write_end.get(), 1}, {2, 2}};
  Result<Child> child = Child::spawn(options);
  pipe->write_end.reset();
  if (!child) {
    ADD_FAILURE() << child.error().message();
    return {};
  }
  std::string output = sys::read_to_end(pipe->read_end.get()).value_or("");
  EXPECT_TRUE(child->wait()->success()) << options.argv.front();
  return output;
}

inline bool have_program(const std::string& name) {
  return !output_of({"sh", "-c", "command -v " + name + " || true"}).empty();
}

}  // namespace mybuild::snapshotter

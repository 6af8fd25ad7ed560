// SPDX-License-Identifier: Apache-2.0
// What the helper says to the builder while it works. Each line also says that it is alive, so
// nothing is said that a silent server could not stop. Thread-compatible.
#pragma once

#include "builder/git/protocol.h"

#include <chrono>
#include <string>

namespace mybuild::git {

class Reporter {
 public:
  explicit Reporter(int fd) : fd_(fd) {}
  /// At most ten times a second, but for a new text.
  void progress(const HelperProgress& progress);
  void warn(const std::string& text);
  void end(const HelperAnswer& answer);

 private:
  void say(const HelperAnswer& answer);

  int fd_;
  std::string text_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace mybuild::git

// SPDX-License-Identifier: Apache-2.0
// What is said when a build is over: the output of what failed, the place in the Dockerfile, the
// cause; warnings; or what was made. Pure functions to text, thread-safe.
#pragma once

#include "cmd/mybuild/progress/progress.h"
#include "snapshotter/base/error.h"

#include <chrono>
#include <string>
#include <vector>

namespace mybuild::progress {

struct ReportStyle {
  bool color = false;
  bool neutralise = false;  // take control sequences out of logs: this goes to a terminal
};

/// The failed steps' output between rules, as buildx prints it.
std::string failed_steps_text(const std::vector<const Step*>& failed, ReportStyle style);
/// Excerpt of the source, then "ERROR: <what>: <cause>", then the hint. `what` may be empty.
std::string error_text(const Error& error, std::string_view what, ReportStyle style);
/// "2 warnings found:" and one line each; with `details` what is known beside. Empty if there are
/// none.
std::string warnings_text(const std::vector<solver::Warning>& warnings, bool details,
                          ReportStyle style);

struct Summary {
  std::chrono::nanoseconds took{0};
  std::size_t steps = 0;
  std::size_t cached = 0;
  std::string image_id = {};            // may be empty
  std::vector<std::string> names = {};  // of the image
  std::vector<std::string> files = {};  // outputs written
};
/// The closing lines of a successful build on a terminal.
std::string summary_text(const Summary& summary, ReportStyle style);

}  // namespace mybuild::progress

// SPDX-License-Identifier: Apache-2.0
// What explain says: sentences for people in at most 80 columns, and the same as JSON. Pure
// functions, thread-safe.
#pragma once

#include "builder/explain/explanation.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cli {

std::string explanation_text(const explain::Explanation& explanation, Time now);
/// One object in one line.
std::string explanation_json(const explain::Explanation& explanation);

/// What became of a step: "found", "not run", …
std::string_view state_word(explain::StepState state);
/// One difference in words. Long lines are not broken yet; one that begins with blanks is indented.
std::vector<std::string> difference_lines(const explain::Difference& difference);

/// explain --list; `format` as for other lists.
Result<std::string> build_list_text(const std::vector<explain::BuildSummary>& builds,
                                    std::string_view format, Time now);

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// --call=check,format=json and --check: what is asked of a Dockerfile instead of building it, and
// how the answer is printed. Value type; parsing is pure.
#pragma once

#include "builder/call.h"

#include <string>
#include <string_view>

namespace mybuild::cli {

enum class AnswerFormat { Text, Json, Sarif, Github };

struct CallOption {
  builder::Call call = builder::Call::Build;
  AnswerFormat format = AnswerFormat::Text;
  bool ignore_status = false;  // exit with 0 whatever a check finds
};

Result<CallOption> parse_call(std::string_view text);
/// The answer as it is printed on stdout.
std::string print_answer(const builder::CallAnswer& answer, AnswerFormat format);

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// How the text behind a verb is cut into arguments: at blanks or at unquoted blanks; and the flags
// in front. Nothing is expanded and quotes stay, but for flags. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// Cut at runs of blanks.
std::vector<std::string> split_fields(std::string_view text);
/// Cut at the first run of blanks; `rest` is empty when there is none.
struct HeadAndRest {
  std::string_view head;
  std::string_view rest;
  bool has_rest = false;
};
HeadAndRest split_head(std::string_view text);
/// Cut at blanks outside quotes; quotes and escapes stay in the words.
std::vector<std::string> split_quoted(std::string_view text, char escape);

struct FlagsAndRest {
  std::vector<std::string> flags;  // "--name=value", unquoted
  std::string_view rest;
};
/// "--a=b --c d": flags up to the first word without "--", or up to a bare "--".
FlagsAndRest split_flags(std::string_view text);

}  // namespace mybuild::frontend

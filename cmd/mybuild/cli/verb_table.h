// SPDX-License-Identifier: Apache-2.0
// Which verb the arguments mean. Without a verb it is the first of the table. Pure but for what the
// verb does.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cli {

struct Verb {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<const std::string> args);
};

/// Global options may stand in front of the verb. "help", "help VERB" and a lone --help are
/// answered here.
int dispatch(std::span<const Verb> verbs, const std::vector<std::string>& args);

/// The same for a verb with verbs of its own ("volume").
struct VerbGroup {
  std::string_view name;
  std::string_view summary;
  std::span<const Verb> verbs;
};
int dispatch_group(const VerbGroup& group, std::span<const std::string> args);

/// What "mybuild help" prints.
std::string overview_text(std::span<const Verb> verbs);

}  // namespace mybuild::cli

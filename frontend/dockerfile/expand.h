// SPDX-License-Identifier: Apache-2.0
// expand: the shell-like words of a Dockerfile. Quotes and escapes are taken away and $v, ${v:-w},
// ${v+w}, ${v:?w}, ${v#p},
// ${v%%p}, ${v/p/r} … filled in (buildkit frontend/dockerfile/shell). Pure; bounded depth and size.
// Thread-safe.
#pragma once

#include "frontend/dockerfile/env_list.h"
#include "snapshotter/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

struct ExpandOptions {
  char escape = '\\';
  bool keep_quotes = false;    // they stay in the result, but still quote
  bool keep_escapes = false;   // the escape character stays in the result
  bool ignore_quotes = false;  // quotes mean nothing (heredoc bodies)
  bool keep_unset = false;     // $v of an unset v stays as it is
};

struct Expanded {
  std::string text;
  std::vector<std::string> used;  // variables asked for that are set; repeated ones once
  std::vector<std::string>
      unset;  // variables asked for that are not set, in order, repeated ones once
};

Result<Expanded> expand(std::string_view word, const EnvList& env, const ExpandOptions& options);
/// The same, split at blanks that are not quoted; what a variable holds is split too.
Result<std::vector<std::string>> expand_words(std::string_view word, const EnvList& env,
                                              const ExpandOptions& options);

}  // namespace mybuild::frontend

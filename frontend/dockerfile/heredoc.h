// SPDX-License-Identifier: Apache-2.0
// Heredocs: "<<EOF", "<<-'EOF'", "3<<EOF" as words of RUN, COPY and ADD. Pure; thread-safe.
#pragma once

#include "frontend/dockerfile/ast.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// The heredoc that a word opens, without content; nullopt when it opens none.
std::optional<Heredoc> parse_heredoc(std::string_view word);
/// All that a line opens, in order.
std::vector<Heredoc> heredocs_in_line(std::string_view line);
/// The content as the file gets it: leading tabs gone after "<<-".
std::string heredoc_text(const Heredoc& heredoc);

}  // namespace mybuild::frontend

// SPDX-License-Identifier: Apache-2.0
// Long texts in few columns, for a look at what is different in them. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mybuild::cli {

/// One line in which control characters are visible: "\n", "\x1b".
std::string visible(std::string_view text);
/// `text` if it fits into `columns`, else its ends with "…" between them.
std::string elide_middle(std::string_view text, std::size_t columns);
/// Both elided so that the place where they begin to differ is seen.
std::pair<std::string, std::string> elide_pair(std::string_view was, std::string_view is,
                                               std::size_t columns);
/// Broken at blanks into lines of at most `columns`; a longer word is cut with "…".
std::vector<std::string> wrap(std::string_view text, std::size_t columns);

}  // namespace mybuild::cli

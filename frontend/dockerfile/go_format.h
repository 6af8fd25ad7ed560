// SPDX-License-Identifier: Apache-2.0
// Texts as Go prints them: BuildKit's history entries are made by fmt.Sprintf, and tools read them.
// Pure; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

std::string go_quote(std::string_view text);                    // %q of a string
std::string go_quote(const std::vector<std::string>& strings);  // %q of a slice: ["a" "b"]
std::string go_quote_rune(int value);                           // %q of a number: '\x03'
std::string go_list(const std::vector<std::string>& strings);   // %v of a slice: [a b]
std::string go_duration(std::chrono::nanoseconds duration);     // 1m30s
/// "1h2m3.5s", "300ms", "-1.5h", "0"; units h m s ms us µs ns.
Result<std::chrono::nanoseconds> parse_go_duration(std::string_view text);
/// A decimal number with or without a sign; nullopt when it is none, or too large for an int.
std::optional<int> parse_go_int(std::string_view text);
/// 1, t, T, true, TRUE, True and their opposites.
Result<bool> parse_go_bool(std::string_view text);

}  // namespace mybuild::frontend

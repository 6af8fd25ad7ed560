// SPDX-License-Identifier: Apache-2.0
// The forms in which docker takes values: booleans, sizes, ulimits, host entries, K=V. Pure,
// thread-safe.
#pragma once

#include "cmd/mybuild/progress/mode.h"
#include "snapshotter/base/result.h"
#include "solver/graph/op_spec.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mybuild::cli {

/// As Go's ParseBool: 1, t, true, 0, f, false, in the usual spellings.
Result<bool> parse_bool(std::string_view text);
Result<std::int64_t> parse_integer(std::string_view text, std::int64_t least, std::int64_t most);
/// "64m", "1.5GiB", "1024": powers of 1024.
Result<std::uint64_t> parse_bytes(std::string_view text);
/// "nofile=1024[:2048]"; -1 is unlimited.
Result<solver::Ulimit> parse_ulimit(std::string_view text);
/// "host:address", "host=address", IPv6 also in brackets; the answer is "host=address".
Result<std::string> parse_add_host(std::string_view text);
/// Cut at the first '='; the key must not be empty, a missing value is "".
Result<std::pair<std::string, std::string>> parse_key_value(std::string_view text);
/// The comma-separated fields of `text`; a field in double quotes may hold commas, "" stands for a
/// quote (RFC 4180).
Result<std::vector<std::string>> parse_csv(std::string_view text);

/// The words of --progress.
Result<progress::Mode> parse_progress(std::string_view text);

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// Text for people: what a string takes on a terminal, bytes that cannot do harm there, sizes and
// times. Independent of the locale. Pure, thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mybuild::progress {

/// Columns that a terminal needs for printable UTF-8 (0 for combining marks, 2 for East Asian wide
/// ones and emoji).
std::size_t display_width(std::string_view text);
/// `text` if it fits into `columns`, else its front with "…" at the end.
std::string truncate(std::string_view text, std::size_t columns);
/// One printable line: escape sequences and control characters are taken out, tabs become spaces,
/// what stands before a carriage return is overwritten as a terminal would, bytes that are no UTF-8
/// become U+FFFD.
std::string printable(std::string_view bytes);
/// As printable(), for text of several lines.
std::string printable_lines(std::string_view bytes);

/// Digests as docker shows them to people, with 12 digits: a line has to have room for more.
std::string short_digests(std::string_view text);

/// "12B", "1.20kB", "3.45MB": powers of 1000, as BuildKit writes transfers.
std::string transfer_size(std::uint64_t bytes);
/// "0.3s", "62.0s": seconds with one decimal.
std::string seconds(std::chrono::nanoseconds duration);
/// "0.3s", "1m02s", "2h05m".
std::string elapsed(std::chrono::nanoseconds duration);

}  // namespace mybuild::progress

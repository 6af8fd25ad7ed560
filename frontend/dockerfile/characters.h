// SPDX-License-Identifier: Apache-2.0
// What counts as blank, letter or digit in a Dockerfile: Unicode as Go's "unicode" package has it,
// since BuildKit's answers are the reference. Bytes that are not UTF-8 stand for themselves.
// Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mybuild::frontend {

/// One code point of a text; an invalid byte is a code point of length 1 with `valid` false.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // bytes
  bool valid = true;
};

/// `at` must be inside `text`.
CodePoint decode(std::string_view text, std::size_t at);
/// `value` is a code point of Unicode, no surrogate.
void append_utf8(std::string& out, char32_t value);

bool is_space(char32_t value);
bool is_letter(char32_t value);
bool is_digit(char32_t value);
/// False for controls, format characters, private use and every blank but ' ' (Go's
/// strconv.IsPrint).
bool is_printable(char32_t value);

std::string_view trim_left(std::string_view text);
std::string_view trim(std::string_view text);
/// ASCII only: verbs, flags and stage names are ASCII.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool equal_fold(std::string_view a, std::string_view b);

}  // namespace mybuild::frontend

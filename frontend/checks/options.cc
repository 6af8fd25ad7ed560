// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/options.h"

#include <algorithm>
#include <array>
#include <optional>

namespace mybuild::frontend::checks {

namespace {

using Names = std::set<std::string, std::less<>>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

/// Takes the text up to `separator` off the front.
std::string_view take(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

void take_names(std::string_view list, bool& all, Names& names) {
  if (list == "all") {
    all = true;
    return;
  }
  while (!list.empty()) {
    names.emplace(trimmed(take(list, ',')));
  }
}

/// As Go's strconv.ParseBool.
std::optional<bool> parse_bool(std::string_view word) {
  constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "false", "FALSE", "False"};
  if (std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end()) {
    return true;
  }
  return std::find(kFalse.begin(), kFalse.end(), word) != kFalse.end() ? std::optional(false)
                                                                       : std::nullopt;
}

Status take_option(std::string_view part, Options& options) {
  const auto equals = part.find('=');
  if (equals == std::string_view::npos) {
    return invalid_argument("invalid check option \"{}\"", part)
        .with_hint("write skip=Rule1,Rule2;error=true;experimental=all");
  }
  const std::string_view name = trimmed(part.substr(0, equals));
  const std::string_view value = trimmed(part.substr(equals + 1));
  if (name == "skip") {
    take_names(value, options.skip_all, options.skipped);
  } else if (name == "experimental") {
    take_names(value, options.experimental_all, options.experimental);
  } else if (name == "error") {
    const auto on = parse_bool(value);
    if (!on) {
      return invalid_argument(
          "failed to parse check option \"{}\": \"{}\" is neither true nor "
          "false",
          part, value);
    }
    options.error = *on;
  } else {
    return invalid_argument("invalid check option \"{}\"", name)
        .with_hint("it can be skip, error or experimental");
  }
  return {};
}

constexpr std::string_view kKey = "check";

/// What is behind "check="; nullopt when the comment is none of ours.
std::optional<std::string_view> options_of(std::string_view comment) {
  comment = trimmed(comment);
  const std::string_view key = trimmed(take(comment, '='));
  if (key.size() != kKey.size() || !std::equal(key.begin(), key.end(), kKey.begin(),
                                               [](char a, char b) { return (a | 0x20) == b; })) {
    return std::nullopt;
  }
  return trimmed(comment.substr(0, comment.find("//")));
}

}  // namespace

Result<Options> parse_options(std::string_view text) {
  Options options;
  text = trimmed(text);
  while (!text.empty()) {
    auto taken = take_option(take(text, ';'), options);
    if (!taken) {
      return std::move(taken).error().context("failed to parse check options");
    }
  }
  return options;
}

bool comments_skip(std::span<const std::string> comments, const RuleInfo& rule) {
  return std::any_of(comments.begin(), comments.end(), [&](const std::string& comment) {
    const auto text = options_of(comment);
    const auto options = text ? parse_options(*text) : Result<Options>(Options());
    return options && options->skips(rule);
  });
}

bool is_check_comment(std::string_view comment) {
  return options_of(comment).has_value();
}

}  // namespace mybuild::frontend::checks

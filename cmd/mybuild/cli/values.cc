// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/values.h"

#include "cmd/mybuild/cli/flags.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mybuild::cli {

namespace {

constexpr std::array<std::string_view, 16> kUlimits = {
    "as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
    "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// 1024^n of a unit letter; 0 for none such.
double unit_factor(char letter) {
  constexpr std::string_view kLetters = "bkmgtp";
  const std::size_t power = kLetters.find(static_cast<char>(letter | 0x20));
  return power == std::string_view::npos ? 0 : std::pow(1024.0, static_cast<double>(power));
}

Result<double> size_factor(std::string_view suffix) {
  while (suffix.starts_with(' ')) {
    suffix.remove_prefix(1);
  }
  if (suffix.empty()) {
    return 1.0;
  }
  const double factor = unit_factor(suffix.front());
  const std::string_view rest = suffix.substr(1);
  if (factor == 0 || !is_one_of(rest, {"", "b", "B", "ib", "iB", "IB"})) {
    return invalid_argument("unknown unit '{}'", suffix)
        .with_hint("sizes are written as 64m, 1g or a number of bytes");
  }
  return factor;
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  if (is_one_of(text, {"1", "t", "T", "true", "TRUE", "True"})) {
    return true;
  }
  if (is_one_of(text, {"0", "f", "F", "false", "FALSE", "False"})) {
    return false;
  }
  return invalid_argument("expected true or false, not '{}'", text);
}

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || text.empty()) {
    return invalid_argument("'{}' is not a number", text);
  }
  if (value < least || value > most) {
    return invalid_argument("{} is not between {} and {}", value, least, most);
  }
  return value;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  double number = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (code != std::errc() || !std::isfinite(number) || number < 0) {
    return invalid_argument("'{}' is not a size", text)
        .with_hint("sizes are written as 64m, 1g or a number of bytes");
  }
  const double factor = TRY(size_factor(text.substr(static_cast<std::size_t>(end - text.data()))));
  const double bytes = number * factor;
  if (bytes > 0x1p62) {
    return invalid_argument("'{}' is too large", text);
  }
  return static_cast<std::uint64_t>(bytes);
}

Result<solver::Ulimit> parse_ulimit(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return invalid_argument("'{}' has no '='", text).with_hint("a limit is name=soft[:hard]");
  }
  const std::string_view name = text.substr(0, equals);
  if (std::find(kUlimits.begin(), kUlimits.end(), name) == kUlimits.end()) {
    Error error = invalid_argument("unknown limit '{}'", name);
    const std::string guess = closest(name, kUlimits);
    return guess.empty() ? error : std::move(error).with_hint("did you mean " + guess + "?");
  }
  const std::string_view limits = text.substr(equals + 1);
  const std::size_t colon = limits.find(':');
  constexpr std::int64_t kMost = INT64_MAX;
  const std::int64_t soft = TRY(parse_integer(limits.substr(0, colon), -1, kMost));
  const std::int64_t hard =
      TRY(colon == std::string_view::npos ? Result<std::int64_t>(soft)
                                          : parse_integer(limits.substr(colon + 1), -1, kMost));
  if (hard != -1 && (soft == -1 || soft > hard)) {
    return invalid_argument("the soft limit {} is above the hard limit {}", soft, hard);
  }
  return solver::Ulimit{.name = std::string(name), .soft = soft, .hard = hard};
}

Result<std::string> parse_add_host(std::string_view text) {
  const std::size_t cut = text.find_first_of("=:");
  if (cut == std::string_view::npos || cut == 0) {
    return invalid_argument("'{}' is not host:address", text);
  }
  std::string address(text.substr(cut + 1));
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  if (address == "host-gateway") {
    return unsupported("the address host-gateway is not supported yet");
  }
  if (!is_address(address)) {
    return invalid_argument("'{}' is not an IP address", address);
  }
  return std::string(text.substr(0, cut)) + "=" + address;
}

Result<std::pair<std::string, std::string>> parse_key_value(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  if (equals == 0) {
    return invalid_argument("'{}' has no name", text);
  }
  const std::string_view value = equals == text.size() ? "" : text.substr(equals + 1);
  return std::pair(std::string(text.substr(0, equals)), std::string(value));
}

Result<std::vector<std::string>> parse_csv(std::string_view text) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool doubled = quoted && text.substr(i, 2) == "\"\"";
    if (doubled) {
      fields.back() += '"';
      ++i;
    } else if (text[i] == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += text[i];
    }
  }
  if (quoted) {
    return invalid_argument("a quote is not closed in '{}'", text);
  }
  return fields;
}

Result<progress::Mode> parse_progress(std::string_view text) {
  constexpr std::pair<std::string_view, progress::Mode> kModes[] = {
      {"auto", progress::Mode::Auto},
      {"tty", progress::Mode::Tty},
      {"plain", progress::Mode::Plain},
      {"quiet", progress::Mode::Quiet},
  };
  for (const auto& [word, mode] : kModes) {
    if (word == text) {
      return mode;
    }
  }
  if (text == "rawjson" || text == "none") {
    return unsupported("--progress={} is not supported yet", text);
  }
  return invalid_argument("there is no such form of progress")
      .with_hint("use auto, tty, plain or quiet");
}

}  // namespace mybuild::cli

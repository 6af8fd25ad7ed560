// SPDX-License-Identifier: Apache-2.0
#include "builder/run/names.h"

#include "snapshotter/base/bytes.h"

#include <fmt/format.h>

#include <signal.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace mybuild::run {

namespace {

constexpr std::array<std::string_view, 64> kAdjectives = {
    "amber",  "ample",  "brave", "breezy", "bright", "brisk",   "calm",   "candid",
    "cheery", "civil",  "clear", "clever", "copper", "cosy",    "crisp",  "curious",
    "deft",   "eager",  "early", "fair",   "fleet",  "fond",    "frank",  "fresh",
    "gentle", "glad",   "grand", "handy",  "hardy",  "honest",  "humble", "jolly",
    "keen",   "kind",   "light", "lively", "loyal",  "lucid",   "mellow", "merry",
    "mild",   "modest", "neat",  "nimble", "noble",  "patient", "placid", "plucky",
    "polite", "proud",  "quick", "quiet",  "rapid",  "ready",   "robust", "rustic",
    "sharp",  "silent", "snug",  "steady", "sturdy", "sunny",   "swift",  "tidy"};
constexpr std::array<std::string_view, 64> kNouns = {
    "acorn",  "anchor",  "anvil",   "badger",  "barley", "beacon", "birch",  "bison",
    "bridge", "brook",   "cedar",   "chisel",  "cliff",  "clover", "comet",  "condor",
    "coral",  "crane",   "delta",   "dune",    "falcon", "fern",   "finch",  "fjord",
    "forge",  "garnet",  "glacier", "grove",   "harbor", "hazel",  "heron",  "island",
    "ivy",    "juniper", "kestrel", "lantern", "lark",   "ledge",  "linden", "lynx",
    "maple",  "marble",  "meadow",  "mortar",  "orchid", "osprey", "otter",  "pebble",
    "pine",   "plover",  "quarry",  "raven",   "reed",   "river",  "rook",   "sable",
    "spruce", "stork",   "summit",  "thistle", "tundra", "walnut", "willow", "wren"};

template <std::size_t kCount>
Result<std::array<std::byte, kCount>> random_bytes() {
  std::array<std::byte, kCount> bytes{};
  if (::getrandom(bytes.data(), kCount, 0) != static_cast<ssize_t>(kCount)) {
    return os_error(errno, "get random bytes");
  }
  return bytes;
}

bool is_letter_or_digit(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

int signal_of_name(std::string_view name) {
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) {
      return number;
    }
  }
  return 0;
}

/// What follows "RTMIN" or "RTMAX".
int offset_of(std::string_view text) {
  int offset = 0;
  std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), text.data() + text.size(), offset);
  return offset;
}

}  // namespace

Result<std::string> new_id() {
  return to_hex(TRY(random_bytes<32>()));
}

Result<std::string> random_name() {
  const auto bytes = TRY(random_bytes<2>());
  return fmt::format("{}_{}",
                     kAdjectives[std::to_integer<std::size_t>(bytes[0]) % kAdjectives.size()],
                     kNouns[std::to_integer<std::size_t>(bytes[1]) % kNouns.size()]);
}

Status check_name(std::string_view what, std::string_view name) {
  constexpr std::size_t kLongest = 128;
  const auto allowed = [](char c) {
    return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
  };
  const bool good = name.size() >= 2 && name.size() <= kLongest &&
                    is_letter_or_digit(name.front()) &&
                    std::all_of(name.begin(), name.end(), allowed);
  return good ? Status()
              : invalid_argument("invalid {} name \"{}\"", what, name)
                    .with_hint("two to 128 of [a-zA-Z0-9_.-], a letter or digit first");
}

Result<int> parse_signal(std::string_view text) {
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) {
    std::string name(text);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const std::string_view word = name.starts_with("SIG") ? std::string_view(name).substr(3) : name;
    number = word.starts_with("RTMIN")   ? SIGRTMIN + offset_of(word.substr(5))
             : word.starts_with("RTMAX") ? SIGRTMAX + offset_of(word.substr(5))
                                         : signal_of_name(word);
  }
  if (number < 1 || number > SIGRTMAX) {
    return invalid_argument("'{}' is not a signal", text).with_hint("write TERM, SIGTERM or 15");
  }
  return number;
}

}  // namespace mybuild::run

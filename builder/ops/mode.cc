// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/mode.h"

#include <sys/stat.h>

#include <charconv>

namespace mybuild::ops {

namespace {

constexpr mode_t kUser = 0700 | S_ISUID;
constexpr mode_t kGroup = 0070 | S_ISGID;
constexpr mode_t kOther = 0007 | S_ISVTX;

Error malformed(std::string_view text) {
  return invalid_argument("invalid --chmod value \"{}\"", text)
      .with_hint("octal up to 7777, or symbolic as in u=rwX,go=rX");
}

std::optional<mode_t> who_bits(char c) {
  switch (c) {
    case 'u':
      return kUser;
    case 'g':
      return kGroup;
    case 'o':
      return kOther;
    case 'a':
      return kUser | kGroup | kOther;
    default:
      return std::nullopt;
  }
}

/// The rwx bits of one class, spread over all three.
mode_t spread(mode_t mode, char from) {
  const unsigned shift = from == 'u' ? 6 : from == 'g' ? 3 : 0;
  const mode_t bits = (mode >> shift) & 7U;
  return bits << 6U | bits << 3U | bits;
}

}  // namespace

Result<ModeChange> ModeChange::parse(std::string_view text) {
  ModeChange change;
  unsigned octal = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), octal, 8);
  if (code == std::errc() && end == text.data() + text.size() && octal <= 07777) {
    change.octal_ = static_cast<mode_t>(octal);
    return change;
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t op_at = rest.find_first_of("+-=");
    if (op_at == std::string_view::npos) {
      return malformed(text);
    }
    const std::string_view who = rest.substr(0, op_at);
    rest.remove_prefix(op_at);
    do {  // "u+r-w": several changes for one who
      change.clauses_.push_back(TRY(parse_clause(who, rest, text)));
    } while (!rest.empty() && rest.front() != ',');
    if (rest.starts_with(',')) {
      rest.remove_prefix(1);
      if (rest.empty()) {
        return malformed(text);
      }
    }
  }
  if (change.clauses_.empty()) {
    return malformed(text);
  }
  return change;
}

Result<ModeChange::Clause> ModeChange::parse_clause(std::string_view who_part,
                                                    std::string_view& rest, std::string_view text) {
  Clause clause;
  for (const char c : who_part) {
    const std::optional<mode_t> bits = who_bits(c);
    if (!bits) {
      return malformed(text);
    }
    clause.who |= *bits;
  }
  if (who_part.empty()) {
    clause.who = kUser | kGroup | kOther;
  }
  clause.op = rest.front();
  rest.remove_prefix(1);
  for (; !rest.empty() && std::string_view("+-=,").find(rest.front()) == std::string_view::npos;
       rest.remove_prefix(1)) {
    switch (rest.front()) {
      case 'r':
        clause.bits |= 0444;
        break;
      case 'w':
        clause.bits |= 0222;
        break;
      case 'x':
        clause.bits |= 0111;
        break;
      case 'X':
        clause.x_if_any = true;
        break;
      case 's':
        clause.bits |= S_ISUID | S_ISGID;
        break;
      case 't':
        clause.bits |= S_ISVTX;
        break;
      case 'u':
      case 'g':
      case 'o':
        clause.copy_from = rest.front();
        break;
      default:
        return malformed(text);
    }
  }
  return clause;
}

mode_t ModeChange::apply(mode_t mode, bool is_directory) const {
  if (octal_) {
    return *octal_;
  }
  for (const Clause& clause : clauses_) {
    mode_t bits = clause.bits;
    if (clause.x_if_any && (is_directory || (mode & 0111U) != 0)) {
      bits |= 0111;
    }
    if (clause.copy_from != '\0') {
      bits |= spread(mode, clause.copy_from);
    }
    bits &= clause.who;
    if (clause.op == '+') {
      mode |= bits;
    } else if (clause.op == '-') {
      mode &= ~bits;
    } else {
      mode = (mode & ~clause.who) | bits;
    }
  }
  return mode & 07777U;
}

}  // namespace mybuild::ops

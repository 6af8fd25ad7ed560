// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/mode.h"

#include <sys/stat.h>

#include <charconv>
#include <utility>

namespace mybuild::ops {

namespace {

constexpr mode_t kSetId = S_ISUID | S_ISGID;
constexpr mode_t kUser = 0700 | S_ISUID;
constexpr mode_t kGroup = 0070 | S_ISGID;
constexpr mode_t kOther = 0007;
constexpr mode_t kEverybody = kUser | kGroup | kOther;

Error malformed(std::string_view text) {
  return invalid_argument("invalid --chmod value \"{}\"", text)
      .with_hint("octal up to 7777, or symbolic as in u=rwX,go=rX");
}

Result<mode_t> parse_who(std::string_view who_part, std::string_view text) {
  mode_t who = 0;
  for (const char c : who_part) {
    switch (c) {
      case 'u':
        who |= kUser;
        break;
      case 'g':
        who |= kGroup;
        break;
      case 'o':
        who |= kOther;
        break;
      case 'a':
        who |= kEverybody;
        break;
      default:
        return malformed(text);
    }
  }
  return who;  // 0: nobody was named, so it is for everybody
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
    const mode_t who = TRY(parse_who(rest.substr(0, op_at), text));
    rest.remove_prefix(op_at);
    do {  // "u+r-w": several changes for one who
      TRY(change.parse_clause(who, rest, text));
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

Status ModeChange::parse_clause(mode_t who, std::string_view& rest, std::string_view text) {
  Clause clause{.who = who, .op = rest.front(), .bits = 0, .x_if_any = false, .copy_from = '\0'};
  const bool has_set_id = who == 0 || (who & ~kOther) != 0;  // they mean nothing for others alone
  bool said = false;
  rest.remove_prefix(1);
  for (; !rest.empty() && std::string_view("+-=,").find(rest.front()) == std::string_view::npos;
       rest.remove_prefix(1)) {
    const char c = rest.front();
    switch (c) {
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
        clause.bits |= has_set_id ? kSetId : 0;
        break;
      case 't':
        clause.bits |= has_set_id ? S_ISVTX : 0;
        clause.who |= has_set_id ? S_ISVTX : 0;
        break;
      case 'u':
      case 'g':
      case 'o':  // comes after what was said before it, and is a change of its own
        if (clause.bits != 0 || clause.x_if_any) {
          clauses_.push_back(std::exchange(clause, {.who = who, .op = clause.op}));
        }
        clauses_.push_back({.who = who, .op = clause.op, .copy_from = c});
        said = true;
        break;
      default:
        return malformed(text);
    }
  }
  if (!said || clause.bits != 0 || clause.x_if_any) {
    clauses_.push_back(clause);
  }
  return {};
}

mode_t ModeChange::apply(mode_t mode, bool is_directory) const {
  if (octal_) {
    return *octal_;
  }
  const bool takes_x = is_directory || (mode & 0111U) != 0;
  for (const Clause& clause : clauses_) {
    mode_t bits = clause.bits | (clause.x_if_any && takes_x ? 0111U : 0U);
    const mode_t who = clause.who == 0 ? kEverybody : clause.who;
    mode_t cleared = who;
    if (clause.copy_from != '\0') {
      bits = spread(mode, clause.copy_from);
      cleared &= 0777U;
    }
    bits &= who;
    if (clause.op == '+') {
      mode |= bits;
    } else if (clause.op == '-') {
      mode &= ~bits;
    } else {
      mode = (mode & ~cleared) | bits;
    }
  }
  return mode & 07777U;
}

}  // namespace mybuild::ops

// SPDX-License-Identifier: Apache-2.0
#include "frontend/ignore/glob.h"

#include <algorithm>
#include <array>

namespace mybuild::frontend {

namespace {

using Token = Glob::Token;
using Kind = Token::Kind;

/// The next code point; a byte that is not UTF-8 stands for itself, out of Unicode's range so that
/// it equals only itself.
char32_t take(std::string_view text, std::size_t& at) {
  constexpr char32_t kRawByte = 0x110000;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t more = lead < 0x80   ? 0
                           : lead < 0xC2 ? 9
                           : lead < 0xE0 ? 1
                           : lead < 0xF0 ? 2
                                         : 3;
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  if (lead > 0xF4 || text.size() - at <= more) {
    ++at;
    return kRawByte + lead;
  }
  auto value = static_cast<char32_t>(lead & (0x3F >> more));
  for (std::size_t i = 1; i <= more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) {
      ++at;
      return kRawByte + lead;
    }
    value = value << 6 | (byte(at + i) & 0x3F);
  }
  at += more + 1;
  return value;
}

class Compiler {
 public:
  Compiler(std::string_view pattern, Glob::Dialect dialect)
      : pattern_(pattern), dialect_(dialect) {}

  Result<std::vector<Token>> run() {
    while (at_ < pattern_.size()) {
      TRY(step());
    }
    return std::move(tokens_);
  }

 private:
  bool ahead(char c) const { return at_ < pattern_.size() && pattern_[at_] == c; }
  Error malformed() const { return invalid_argument("syntax error in pattern \"{}\"", pattern_); }
  void add(Kind kind, char32_t literal = 0) { tokens_.push_back({kind, false, literal, {}}); }

  Status step() {
    const char32_t c = take(pattern_, at_);
    switch (c) {
      case '*':
        star();
        return {};
      case '?':
        add(Kind::One);
        return {};
      case '[':
        return character_class();
      case '\\': {
        if (at_ == pattern_.size()) {
          return malformed();
        }
        add(Kind::Literal, take(pattern_, at_));
        return {};
      }
      default:
        add(Kind::Literal, c);
        return {};
    }
  }

  void star() {
    if (dialect_ == Glob::Dialect::Match || !ahead('*')) {
      add(Kind::Star);
      return;
    }
    ++at_;
    at_ += ahead('/') ? 1 : 0;
    if (at_ == pattern_.size()) {
      add(Kind::Everything);
      return;
    }
    add(Kind::DeepSkip);
    add(Kind::DeepLoop);
  }

  Result<char32_t> class_character() {
    if (at_ == pattern_.size() || ahead('-') || ahead(']')) {
      return malformed();
    }
    char32_t c = take(pattern_, at_);
    if (c == '\\') {
      if (at_ == pattern_.size()) {
        return malformed();
      }
      c = take(pattern_, at_);
    }
    return c;
  }

  Status character_class() {
    Token token{Kind::Class, ahead('^'), 0, {}};
    at_ += token.negated ? 1 : 0;
    while (token.ranges.empty() || !ahead(']')) {
      const char32_t low = TRY(class_character());
      char32_t high = low;
      if (ahead('-')) {
        ++at_;
        high = TRY(class_character());
      }
      token.ranges.emplace_back(low, high);
    }
    ++at_;
    tokens_.push_back(std::move(token));
    return {};
  }

  std::string_view pattern_;
  Glob::Dialect dialect_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

bool fits(const Token& token, char32_t c) {
  switch (token.kind) {
    case Kind::Literal:
      return c == token.literal;
    case Kind::One:
    case Kind::Star:
      return c != '/';
    case Kind::Class:
      return token.negated !=
             std::any_of(token.ranges.begin(), token.ranges.end(),
                         [&](const auto& range) { return c >= range.first && c <= range.second; });
    case Kind::DeepLoop:
    case Kind::Everything:
      return true;
    case Kind::DeepSkip:
      return false;
  }
  return false;
}

bool repeats(Kind kind) {
  return kind == Kind::Star || kind == Kind::DeepLoop || kind == Kind::Everything;
}

/// From every token that can be read as nothing, on to the next.
template <class States>
void skip_empty(const std::vector<Token>& tokens, States& states) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (states[i] == 0) {
      continue;
    }
    if (tokens[i].kind == Kind::DeepSkip) {
      states[i + 1] = states[i + 2] = 1;
    } else if (tokens[i].kind == Kind::Star || tokens[i].kind == Kind::Everything) {
      states[i + 1] = 1;
    }
  }
}

/// All tokens that may come next, for each character of the path; `start` are taken already.
template <class States>
bool walk(const std::vector<Token>& tokens, std::size_t start, std::string_view path, bool parents,
          States states, States next) {
  states[start] = 1;
  for (std::size_t at = start; at < path.size();) {
    skip_empty(tokens, states);
    if (parents && path[at] == '/' && states[tokens.size()] != 0) {
      return true;
    }
    const char32_t c = take(path, at);
    std::fill(next.begin(), next.end(), std::uint8_t{0});
    bool alive = false;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (states[i] == 0 || !fits(tokens[i], c)) {
        continue;
      }
      const Kind kind = tokens[i].kind;
      next[repeats(kind) ? i : i + 1] = 1;
      if (kind == Kind::DeepLoop && c == '/') {
        next[i + 1] = 1;
      }
      alive = true;
    }
    if (!alive) {
      return false;
    }
    std::swap(states, next);
  }
  skip_empty(tokens, states);
  return states[tokens.size()] != 0;
}

/// nullopt when a token matches slashes and other characters as well.
std::optional<std::size_t> count_slashes(const std::vector<Token>& tokens) {
  std::size_t count = 0;
  for (const Token& token : tokens) {
    if (token.kind == Kind::DeepSkip || (token.kind != Kind::Literal && fits(token, U'/'))) {
      return std::nullopt;
    }
    count += token.kind == Kind::Literal && token.literal == U'/' ? 1 : 0;
  }
  return count;
}

/// The path, or the directory above it, that has so many slashes; nullopt when it has fewer.
std::optional<std::string_view> part_with_slashes(std::string_view path, std::size_t slashes) {
  std::size_t end = path.find('/');
  for (; slashes > 0; --slashes) {
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    end = path.find('/', end + 1);
  }
  return path.substr(0, end);
}

}  // namespace

Result<Glob> Glob::compile(std::string_view pattern, Dialect dialect) {
  auto tokens = TRY(Compiler(pattern, dialect).run());
  return Glob(std::move(tokens));
}

Glob::Glob(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  const auto is_plain = [](const Token& token) {
    return token.kind == Kind::Literal && token.literal < 0x80;
  };
  for (auto token = tokens_.begin(); token != tokens_.end() && is_plain(*token); ++token) {
    literal_prefix_ += static_cast<char>(token->literal);
  }
  for (auto token = tokens_.rbegin(); token != tokens_.rend() && is_plain(*token); ++token) {
    literal_suffix_.insert(literal_suffix_.begin(), static_cast<char>(token->literal));
  }
  slashes_ = count_slashes(tokens_);
}

bool Glob::run(std::string_view path, bool parents) const {
  constexpr std::size_t kFew = 64;  // most patterns: no memory is asked for then
  if (tokens_.size() < kFew) {
    return walk<std::array<std::uint8_t, kFew>>(tokens_, literal_prefix_.size(), path, parents, {},
                                                {});
  }
  const std::vector<std::uint8_t> none(tokens_.size() + 1, 0);
  return walk(tokens_, literal_prefix_.size(), path, parents, none, none);
}

bool Glob::matches(std::string_view path) const {
  if (!path.starts_with(literal_prefix_) || !path.ends_with(literal_suffix_)) {
    return false;
  }
  if (literal_prefix_.size() == tokens_.size()) {
    return path.size() == literal_prefix_.size();
  }
  return run(path, false);
}

bool Glob::matches_with_parents(std::string_view path) const {
  if (!path.starts_with(literal_prefix_)) {
    return false;
  }
  if (!slashes_) {
    return run(path, true);
  }
  // Only one of the path and the directories above it is as deep as the pattern.
  const std::optional<std::string_view> part = part_with_slashes(path, *slashes_);
  return part && matches(*part);
}

}  // namespace mybuild::frontend

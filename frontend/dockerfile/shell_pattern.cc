// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/shell_pattern.h"

#include "frontend/dockerfile/characters.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace mybuild::frontend {

namespace {

using Token = ShellPattern::Token;
using Characters = std::vector<std::string_view>;

constexpr std::size_t kNone = SIZE_MAX;

struct Match {
  std::size_t start = 0;
  std::size_t end = 0;
};
enum class Anchor { Here, Anywhere };
enum class Extent { Shortest, Longest };

Characters characters_of(std::string_view text) {
  Characters out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = decode(text, at).length;
    out.push_back(text.substr(at, length));
    at += length;
  }
  return out;
}

std::string join(const Characters& characters, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) {
    out += characters[i];
  }
  return out;
}

/// All ways to read the pattern at once: threads_[i] is the leftmost start of a match that has come
/// to token i.
class Simulation {
 public:
  explicit Simulation(const std::vector<Token>& tokens)
      : tokens_(tokens), threads_(tokens.size() + 1, kNone), next_(threads_) {}

  std::optional<Match> run(const Characters& text, std::size_t from, Anchor anchor, Extent extent) {
    std::optional<Match> best;
    for (std::size_t at = from;; ++at) {
      if (at == from || (anchor == Anchor::Anywhere && !best)) {
        threads_[0] = std::min(threads_[0], at);
      }
      skip_stars();
      const std::size_t start = threads_.back();
      if (start != kNone && (!best || start <= best->start)) {
        best = Match{start, at};
        if (extent == Extent::Shortest) {
          return best;
        }
      }
      if (at == text.size() || (!advance(text[at], best) && (anchor == Anchor::Here || best))) {
        return best;
      }
    }
  }

 private:
  void skip_stars() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].kind == Token::Kind::AnyMany) {
        threads_[i + 1] = std::min(threads_[i + 1], threads_[i]);
      }
    }
  }

  bool advance(std::string_view character, const std::optional<Match>& best) {
    std::fill(next_.begin(), next_.end(), kNone);
    bool alive = false;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (threads_[i] == kNone || (best && threads_[i] > best->start)) {
        continue;
      }
      const Token& token = tokens_[i];
      const bool fits =
          token.kind == Token::Kind::Literal ? token.literal == character : character != "\n";
      if (fits) {
        std::size_t& to = next_[token.kind == Token::Kind::AnyMany ? i : i + 1];
        to = std::min(to, threads_[i]);
        alive = true;
      }
    }
    threads_.swap(next_);
    return alive;
  }

  const std::vector<Token>& tokens_;
  std::vector<std::size_t> threads_;
  std::vector<std::size_t> next_;
};

}  // namespace

Result<ShellPattern> ShellPattern::compile(std::string_view text) {
  std::vector<Token> tokens;
  const Characters characters = characters_of(text);
  for (std::size_t i = 0; i < characters.size(); ++i) {
    if (characters[i] == "*") {
      tokens.push_back({Token::Kind::AnyMany, {}});
      continue;
    }
    if (characters[i] == "?") {
      tokens.push_back({Token::Kind::AnyOne, {}});
      continue;
    }
    if (characters[i] == "\\") {
      ++i;
      if (i == characters.size() || std::string_view("*?\\/}").find(characters[i]) == kNone) {
        return invalid_argument("'\\' before '{}' in a pattern",
                                i == characters.size() ? std::string_view() : characters[i]);
      }
    }
    tokens.push_back({Token::Kind::Literal, std::string(characters[i])});
  }
  return ShellPattern(std::move(tokens));
}

std::string ShellPattern::strip_prefix(std::string_view value, bool longest) const {
  const Characters text = characters_of(value);
  const auto match =
      Simulation(tokens_).run(text, 0, Anchor::Here, longest ? Extent::Longest : Extent::Shortest);
  return match ? join(text, match->end, text.size()) : std::string(value);
}

std::string ShellPattern::strip_suffix(std::string_view value, bool longest) const {
  Characters text = characters_of(value);
  std::reverse(text.begin(), text.end());
  std::vector<Token> backwards(tokens_.rbegin(), tokens_.rend());
  const auto match = Simulation(backwards).run(text, 0, Anchor::Here,
                                               longest ? Extent::Longest : Extent::Shortest);
  if (!match) {
    return std::string(value);
  }
  std::reverse(text.begin(), text.end());
  return join(text, 0, text.size() - match->end);
}

Result<std::string> ShellPattern::replace(std::string_view value,
                                          const Replacement& replacement) const {
  const Characters text = characters_of(value);
  std::string out;
  std::size_t at = 0;
  std::size_t last_end = kNone;
  while (at <= text.size()) {
    const auto match = Simulation(tokens_).run(text, at, Anchor::Anywhere, Extent::Longest);
    if (!match) {
      break;
    }
    out += join(text, at, match->start);
    const bool is_empty = match->start == match->end;
    // As Go has it: an empty match right behind another match is none.
    if (!is_empty || match->start != last_end) {
      out += replacement.by;
    }
    at = last_end = match->end;
    if (is_empty && at < text.size()) {
      out += text[at];
    }
    at += is_empty ? 1 : 0;
    if (out.size() > replacement.max_size) {
      return invalid_argument("a replacement gives more than {} bytes", replacement.max_size);
    }
    if (!replacement.all) {
      break;
    }
  }
  return at < text.size() ? out + join(text, at, text.size()) : out;
}

}  // namespace mybuild::frontend

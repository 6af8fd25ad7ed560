// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/expand.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/shell_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mybuild::frontend {

namespace {

constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxSize = std::size_t{1} << 20;  // ENV A=$A$A, sixty times
constexpr std::size_t kMaxWork = std::size_t{8} << 20;  // ${A//a/${A//a/${A//a/… in one word
constexpr std::string_view kSpecialParameters = "@*#?-$!0";

/// Collects words as the text grows: unquoted blanks end one.
class WordSplitter {
 public:
  void add(std::string_view character, bool may_split) {
    if (may_split && is_space(decode(character, 0).value)) {
      finish();
      return;
    }
    word_ += character;
  }
  void add_text(std::string_view text, bool may_split) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = decode(text, at).length;
      add(text.substr(at, length), may_split);
      at += length;
    }
  }
  std::vector<std::string> take() {
    finish();
    return std::move(words_);
  }

 private:
  void finish() {
    if (!word_.empty()) {
      words_.push_back(std::move(word_));
      word_.clear();
    }
  }
  std::string word_;
  std::vector<std::string> words_;
};

Result<ShellPattern> compile(std::string_view text) {
  return ShellPattern::compile(text).context(
      fmt::format("invalid pattern ({}) in substitution", text));
}

class Expander {
 public:
  Expander(std::string_view input, const EnvList& env, const ExpandOptions& options,
           WordSplitter* words)
      : input_(input), env_(env), options_(options), words_(words) {}

  Result<std::string> run() { return until(std::nullopt, options_.keep_escapes, words_); }
  std::vector<std::string> take_used() { return std::move(used_); }
  std::vector<std::string> take_unset() { return std::move(unset_); }

 private:
  bool at_end() const { return at_ == input_.size(); }
  char peek() const { return input_[at_]; }
  /// The next character, one code point.
  std::string_view next() {
    const std::size_t length = decode(input_, at_).length;
    const std::string_view character = input_.substr(at_, length);
    at_ += length;
    return character;
  }

  Result<std::string> until(std::optional<char> stop, bool keep_escapes, WordSplitter* words);
  void plain(std::string& out, bool keep_escapes, WordSplitter* words);
  void maybe_heredoc(std::string& out, WordSplitter& words);
  Result<std::string> single_quoted();
  Result<std::string> double_quoted(bool keep_escapes);
  Result<std::string> dollar();
  Result<std::string> braces();
  Result<std::string> defaulted(std::string_view name, char form, bool empty_is_unset);
  Result<std::string> stripped(std::string_view name, char form);
  Result<std::string> replaced(std::string_view name);
  /// The rest of a ${…} up to `stop`, or what is missing.
  Result<std::string> operand(char stop, bool keep_escapes, std::string_view missing);
  /// Counts what substitutions cost, so that a word cannot take more than a moment.
  Status spend(std::size_t work);
  std::string name();
  const std::string* look_up(std::string_view name);

  std::string_view input_;
  const EnvList& env_;
  const ExpandOptions& options_;
  WordSplitter* words_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t work_ = 0;
  std::vector<std::string> used_;
  std::vector<std::string> unset_;
};

Result<std::string> Expander::until(std::optional<char> stop, bool keep_escapes,
                                    WordSplitter* words) {
  if (++depth_ > kMaxDepth) {
    return invalid_argument("substitutions are nested too deeply");
  }
  std::string out;
  while (!at_end()) {
    const char c = peek();
    if (stop && c == *stop) {
      ++at_;
      --depth_;
      return out;
    }
    const bool is_quote = (c == '\'' || c == '"') && !options_.ignore_quotes;
    if (c == '<' && words != nullptr) {
      maybe_heredoc(out, *words);
      continue;
    }
    if (c != '$' && !is_quote) {
      plain(out, keep_escapes, words);
      continue;
    }
    const std::string part = TRY(c == '$'   ? dollar()
                                 : c == '"' ? double_quoted(keep_escapes)
                                            : single_quoted());
    TRY(spend(part.size()));
    out += part;
    if (words != nullptr) {
      words->add_text(part, c == '$');
    }
    if (out.size() > kMaxSize) {
      return invalid_argument("expands to more than {} bytes", kMaxSize);
    }
  }
  if (stop) {
    return invalid_argument("unexpected end of statement while looking for matching {}", *stop);
  }
  --depth_;
  return out;
}

void Expander::plain(std::string& out, bool keep_escapes, WordSplitter* words) {
  std::string_view character = next();
  const bool escaped = character[0] == options_.escape;
  if (escaped) {
    if (keep_escapes) {
      out += character;
      if (words != nullptr) {
        words->add(character, false);
      }
    }
    if (at_end()) {
      return;
    }
    character = next();
  }
  out += character;
  if (words != nullptr) {
    words->add(character, !escaped);
  }
}

// Blanks right behind "<<" belong to the word, so that "cat << EOF" opens a heredoc.
void Expander::maybe_heredoc(std::string& out, WordSplitter& words) {
  const std::size_t start = at_++;
  if (!at_end() && peek() == '<') {
    const std::size_t blanks = input_.find_first_not_of(" \t\r\n", at_ + 1);
    at_ = std::min(blanks, input_.size());
  }
  const std::string_view mark = input_.substr(start, at_ - start);
  out += mark;
  words.add_text(mark, false);
}

Result<std::string> Expander::single_quoted() {
  const std::size_t start = at_++;
  const std::size_t end = input_.find('\'', at_);
  if (end == std::string_view::npos) {
    at_ = input_.size();
    return invalid_argument("unexpected end of statement while looking for matching single-quote");
  }
  at_ = end + 1;
  return std::string(options_.keep_quotes ? input_.substr(start, end + 1 - start)
                                          : input_.substr(start + 1, end - start - 1));
}

Result<std::string> Expander::double_quoted(bool keep_escapes) {
  std::string out;
  const std::string_view quote = options_.keep_quotes ? "\"" : "";
  out += quote;
  ++at_;
  while (!at_end()) {
    if (peek() == '"') {
      ++at_;
      return out + std::string(quote);
    }
    if (peek() == '$') {
      const std::string part = TRY(dollar());
      TRY(spend(part.size()));
      out += part;
      continue;
    }
    std::string_view character = next();
    if (character[0] == options_.escape) {
      if (keep_escapes) {
        out += character;
      }
      if (at_end()) {
        break;
      }
      // Only these can be escaped here; before anything else the escape character is itself.
      if (peek() == '"' || peek() == '$' || peek() == options_.escape) {
        character = next();
      }
    }
    out += character;
  }
  return invalid_argument("unexpected end of statement while looking for matching double-quote");
}

Result<std::string> Expander::dollar() {
  ++at_;
  if (!at_end() && peek() == '{') {
    ++at_;
    return braces();
  }
  const std::string variable = name();
  if (variable.empty()) {
    return std::string("$");
  }
  const std::string* value = look_up(variable);
  if (value == nullptr) {
    return options_.keep_unset ? "$" + variable : std::string();
  }
  return *value;
}

Result<std::string> Expander::braces() {
  if (at_end()) {
    return invalid_argument("syntax error: missing '}}'");
  }
  if (peek() == '{' || peek() == '}' || peek() == ':') {
    return invalid_argument("syntax error: bad substitution");
  }
  const std::string variable = name();
  if (at_end()) {
    return invalid_argument("syntax error: missing '}}'");
  }
  std::string modifier(next());
  const bool empty_is_unset = modifier == ":";
  if (empty_is_unset) {
    if (at_end()) {
      return invalid_argument("syntax error: missing '}}'");
    }
    modifier = next();
  }
  const char form = modifier.size() == 1 ? modifier[0] : '\0';
  if (form == '}' && !empty_is_unset) {
    const std::string* value = look_up(variable);
    if (value == nullptr) {
      return options_.keep_unset ? "${" + variable + "}" : std::string();
    }
    return *value;
  }
  if (form == '-' || form == '+' || form == '?') {
    return defaulted(variable, form, empty_is_unset);
  }
  if (!empty_is_unset && (form == '#' || form == '%')) {
    return stripped(variable, form);
  }
  if (!empty_is_unset && form == '/') {
    return replaced(variable);
  }
  return invalid_argument("unsupported modifier ({}{}) in substitution", empty_is_unset ? ":" : "",
                          modifier);
}

Result<std::string> Expander::operand(char stop, bool keep_escapes, std::string_view missing) {
  auto text = until(stop, keep_escapes, nullptr);
  if (!text && at_end() && depth_ <= kMaxDepth) {
    return Error(ErrorKind::InvalidArgument, std::string(missing));
  }
  return text;
}

Result<std::string> Expander::defaulted(std::string_view variable, char form, bool empty_is_unset) {
  const std::string word = TRY(operand('}', false, "syntax error: missing '}'"));
  const std::string* value = look_up(variable);
  if (value == nullptr && options_.keep_unset) {
    return fmt::format("${{{}{}{}{}}}", variable, empty_is_unset ? ":" : "", form, word);
  }
  const bool absent = value == nullptr || (empty_is_unset && value->empty());
  if (form == '+') {
    return absent ? std::string() : word;
  }
  if (!absent) {
    return *value;
  }
  if (form == '-') {
    return word;
  }
  if (!word.empty()) {
    return invalid_argument("{}: {}", variable, word);
  }
  return invalid_argument("{}: is not allowed to be {}", variable,
                          value == nullptr ? "unset" : "empty");
}

Result<std::string> Expander::stripped(std::string_view variable, char form) {
  const std::string word = TRY(operand('}', true, "syntax error: missing '}'"));
  const std::string* value = look_up(variable);
  if (value == nullptr && options_.keep_unset) {
    return fmt::format("${{{}{}{}}}", variable, form, word);
  }
  const bool longest = word.starts_with(form);
  const auto pattern = TRY(compile(std::string_view(word).substr(longest ? 1 : 0)));
  const std::string_view text = value == nullptr ? std::string_view() : *value;
  TRY(spend(pattern.work(text)));
  return form == '#' ? pattern.strip_prefix(text, longest) : pattern.strip_suffix(text, longest);
}

Result<std::string> Expander::replaced(std::string_view variable) {
  const bool all = !at_end() && peek() == '/';
  at_ += all ? 1 : 0;
  const std::string from = TRY(operand('/', true, "syntax error: missing '/' in ${}"));
  const std::string by = TRY(operand('}', true, "syntax error: missing '}'"));
  const std::string* value = look_up(variable);
  if (value == nullptr && options_.keep_unset) {
    return fmt::format("${{{}/{}/{}}}", variable, from, by);
  }
  const auto pattern = TRY(compile(from));
  const std::string_view text = value == nullptr ? std::string_view() : *value;
  TRY(spend(pattern.work(text)));
  return pattern.replace(text, {.by = by, .all = all, .max_size = kMaxSize});
}

Status Expander::spend(std::size_t work) {
  work_ += work;
  if (work_ > kMaxWork) {
    return invalid_argument("its substitutions take too many steps");
  }
  return {};
}

std::string Expander::name() {
  const std::size_t start = at_;
  if (!at_end() && is_digit(static_cast<unsigned char>(peek()))) {
    while (!at_end() && is_digit(static_cast<unsigned char>(peek()))) {
      ++at_;
    }
  } else if (!at_end() && kSpecialParameters.find(peek()) != std::string_view::npos) {
    ++at_;
  } else {
    while (!at_end()) {
      const CodePoint point = decode(input_, at_);
      if (!point.valid ||
          !(is_letter(point.value) || is_digit(point.value) || point.value == '_')) {
        break;
      }
      at_ += point.length;
    }
  }
  return std::string(input_.substr(start, at_ - start));
}

const std::string* Expander::look_up(std::string_view variable) {
  const std::string* value = env_.find(variable);
  std::vector<std::string>& seen = value == nullptr ? unset_ : used_;
  if (std::find(seen.begin(), seen.end(), variable) == seen.end()) {
    seen.emplace_back(variable);
  }
  return value;
}

Error failed(std::string_view word, Error error) {
  constexpr std::size_t kShown = 200;
  return std::move(error).context("failed to process " + go_quote(word.substr(0, kShown)));
}

bool is_plain(std::string_view word, char escape) {
  return word.find_first_of("$'\"") == std::string_view::npos &&
         word.find(escape) == std::string_view::npos;
}

}  // namespace

Result<Expanded> expand(std::string_view word, const EnvList& env, const ExpandOptions& options) {
  if (is_plain(word, options.escape)) {
    return Expanded{std::string(word), {}, {}};
  }
  Expander expander(word, env, options, nullptr);
  auto text = expander.run();
  if (!text) {
    return failed(word, std::move(text).error());
  }
  return Expanded{std::move(text).value(), expander.take_used(), expander.take_unset()};
}

Result<std::vector<std::string>> expand_words(std::string_view word, const EnvList& env,
                                              const ExpandOptions& options) {
  WordSplitter words;
  Expander expander(word, env, options, &words);
  const auto text = expander.run();
  if (!text) {
    return failed(word, text.error());
  }
  return words.take();
}

}  // namespace mybuild::frontend

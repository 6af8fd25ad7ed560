// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/parser.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/heredoc.h"
#include "frontend/dockerfile/lexer.h"
#include "frontend/dockerfile/string_array.h"
#include "frontend/dockerfile/words.h"

#include <algorithm>
#include <array>

namespace mybuild::frontend {

namespace {

using Grammar = Status (*)(Node& node, std::string_view rest, char escape);

Result<Node> parse_line(std::string_view line, char escape, int depth);

Status whole_text(Node& node, std::string_view rest, char) {
  if (!rest.empty()) {
    node.args.emplace_back(rest);
  }
  return {};
}

Status fields(Node& node, std::string_view rest, char) {
  node.args = split_fields(rest);
  return {};
}

Status quoted_words(Node& node, std::string_view rest, char escape) {
  node.args = split_quoted(rest, escape);
  return {};
}

/// True when the text was a JSON array and its items are the arguments now.
Result<bool> take_json(Node& node, std::string_view rest) {
  auto strings = TRY(parse_string_array(rest));
  if (strings) {
    node.json = true;
    std::move(strings->begin(), strings->end(), std::back_inserter(node.args));
  }
  return node.json;
}

Status json_or_text(Node& node, std::string_view rest, char escape) {
  const bool is_json = TRY(take_json(node, rest));
  return is_json ? Status() : whole_text(node, rest, escape);
}

Status json_or_fields(Node& node, std::string_view rest, char escape) {
  const bool is_json = TRY(take_json(node, rest));
  return is_json ? Status() : fields(node, rest, escape);
}

Status pairs(Node& node, std::string_view rest, char escape) {
  const std::vector<std::string> words = split_quoted(rest, escape);
  if (words.empty()) {
    return {};
  }
  if (words[0].find('=') == std::string::npos) {
    const HeadAndRest cut = split_head(rest);
    if (!cut.has_rest) {
      return invalid_argument("{} must have two arguments", to_upper(node.verb));
    }
    node.legacy_pair = true;
    node.args = {std::string(cut.head), std::string(cut.rest)};
    return {};
  }
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      return invalid_argument("can't find = in \"{}\"", word)
          .with_hint("it must be of the form: name=value; quote a value with blanks");
    }
    node.args.push_back(word.substr(0, equals));
    node.args.push_back(word.substr(equals + 1));
  }
  return {};
}

Status healthcheck(Node& node, std::string_view rest, char escape) {
  const auto blank = std::find_if(rest.begin(), rest.end(), [](char c) {
    return is_space(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 0x80;
  });
  if (blank == rest.begin()) {
    return {};
  }
  const auto length = static_cast<std::size_t>(blank - rest.begin());
  node.args.emplace_back(rest.substr(0, length));
  return json_or_text(node, trim_left(rest.substr(length)), escape);
}

struct Rule {
  std::string_view verb;
  Grammar grammar;
  bool heredocs = false;
};
constexpr std::array kRules{
    Rule{"add", json_or_fields, true},
    Rule{"arg", quoted_words},
    Rule{"cmd", json_or_text},
    Rule{"copy", json_or_fields, true},
    Rule{"entrypoint", json_or_text},
    Rule{"env", pairs},
    Rule{"expose", fields},
    Rule{"from", fields},
    Rule{"healthcheck", healthcheck},
    Rule{"label", pairs},
    Rule{"maintainer", whole_text},
    Rule{"run", json_or_text, true},
    Rule{"shell", json_or_text},
    Rule{"stopsignal", whole_text},
    Rule{"user", whole_text},
    Rule{"volume", json_or_fields},
    Rule{"workdir", whole_text},
};

const Rule* find_rule(std::string_view verb) {
  const auto* rule =
      std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) { return r.verb == verb; });
  return rule == kRules.end() ? nullptr : rule;
}

Status parse_arguments(Node& node, std::string_view rest, char escape, int depth) {
  if (node.verb == "onbuild") {
    // ONBUILD ONBUILD is refused by name later; a deeper chain is not even read.
    if (!rest.empty() && depth < 2) {
      auto trigger = TRY(parse_line(rest, escape, depth + 1));
      node.trigger = std::make_unique<Node>(std::move(trigger));
    }
    return {};
  }
  const Rule* rule = find_rule(node.verb);
  return rule == nullptr ? Status() : rule->grammar(node, rest, escape);
}

Result<Node> parse_line(std::string_view line, char escape, int depth) {
  const HeadAndRest cut = split_head(trim(line));
  FlagsAndRest arguments = split_flags(cut.rest);
  Node node;
  node.verb = to_lower(cut.head);
  node.original_verb = cut.head;
  node.flags = std::move(arguments.flags);
  node.original = line;
  TRY(parse_arguments(node, trim(arguments.rest), escape, depth));
  return node;
}

bool takes_heredocs(const Node& node) {
  const Node& inner = node.trigger ? *node.trigger : node;
  const Rule* rule = find_rule(inner.verb);
  return rule != nullptr && rule->heredocs && !inner.json;
}

Status read_heredocs(Node& node, Lexer& lexer, int first_line) {
  if (!takes_heredocs(node)) {
    return {};
  }
  for (Heredoc& heredoc : heredocs_in_line(node.original)) {
    TRY(lexer.read_heredoc(heredoc, first_line));
    node.heredocs.push_back(std::move(heredoc));
  }
  return {};
}

Status check_is_text(const SourceMap& source, std::string_view text) {
  if (text.empty()) {
    return invalid_argument("the Dockerfile cannot be empty");
  }
  const auto nul = text.find('\0');
  if (nul == std::string_view::npos) {
    return {};
  }
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
  return invalid_argument("not a text file: there is a NUL byte in line {}", line)
      .with_hint("a Dockerfile is UTF-8 text; check the name given with --file")
      .at(SourceLocation{.file = source.locate({}).file,
                         .first_line = static_cast<int>(line),
                         .last_line = static_cast<int>(line),
                         .excerpt = {}});
}

}  // namespace

const Directive* Document::directive(std::string_view name) const {
  const auto found = std::find_if(directives.begin(), directives.end(),
                                  [&](const Directive& d) { return d.name == name; });
  return found == directives.end() ? nullptr : &*found;
}

Result<Document> parse(const SourceMap& source, std::string_view text) {
  TRY(check_is_text(source, text));
  Lexer lexer(source);
  Document document;
  while (auto line = TRY(lexer.next())) {
    auto node = parse_line(line->text, lexer.escape(), 0);
    if (!node) {
      return std::move(node).error().at(source.locate(line->lines));
    }
    if (line->empty_continuation) {
      document.empty_continuations.push_back({line->lines.last, line->lines.last});
    }
    TRY(read_heredocs(*node, lexer, line->lines.first));
    node->lines = {line->lines.first, lexer.current_line()};
    node->comments = std::move(line->comments);
    document.nodes.push_back(std::move(node).value());
  }
  document.escape = lexer.escape();
  document.directives = lexer.take_directives();
  if (document.nodes.empty()) {
    return invalid_argument("file with no instructions")
        .at(SourceLocation{source.locate({}).file, source.line_count(), source.line_count(), {}});
  }
  return document;
}

}  // namespace mybuild::frontend

// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/go_template.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

namespace mybuild::cli {

namespace {

using Value = nlohmann::ordered_json;

constexpr auto kReplace = Value::error_handler_t::replace;

/// A word of an action: ".Config.Env", "json", "\"text\"", "0", "|".
struct Word {
  enum class Kind { Path, Name, Text, Number, Pipe } kind = Kind::Name;
  std::string text;  // of Text without quotes
};
using Words = std::vector<Word>;

Error syntax(std::string_view what) {
  return invalid_argument("format template: {}", what)
      .with_hint(
          "paths such as {{.Config.Cmd}}, range, if and the functions json, index, join, len, "
          "eq, ne, and, or, not, upper, lower and println are understood");
}

// --- reading -------------------------------------------------------------------------------------

Result<Word> read_quoted(std::string_view& rest) {
  const char quote = rest.front();
  Word word{.kind = Word::Kind::Text, .text = {}};
  for (rest.remove_prefix(1); !rest.empty() && rest.front() != quote; rest.remove_prefix(1)) {
    if (quote == '"' && rest.front() == '\\' && rest.size() > 1) {
      rest.remove_prefix(1);
      const char c = rest.front();
      word.text += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    } else {
      word.text += rest.front();
    }
  }
  if (rest.empty()) {
    return syntax("a quote is not closed");
  }
  rest.remove_prefix(1);
  return word;
}

Result<Words> read_words(std::string_view rest) {
  Words words;
  while (!rest.empty()) {
    if (std::isspace(static_cast<unsigned char>(rest.front())) != 0) {
      rest.remove_prefix(1);
    } else if (rest.front() == '"' || rest.front() == '`') {
      words.push_back(TRY(read_quoted(rest)));
    } else if (rest.front() == '|') {
      words.push_back({.kind = Word::Kind::Pipe, .text = {}});
      rest.remove_prefix(1);
    } else {
      const std::size_t end = std::min(rest.find_first_of(" \t\n|\"`"), rest.size());
      const std::string text(rest.substr(0, end));
      rest.remove_prefix(end);
      const bool number = text.find_first_not_of("-0123456789") == std::string::npos;
      words.push_back({.kind = text.front() == '.' ? Word::Kind::Path
                               : number            ? Word::Kind::Number
                                                   : Word::Kind::Name,
                       .text = text});
    }
  }
  return words;
}

/// Text and actions, still in a row.
struct Token {
  bool action = false;
  std::string text;
};

void trim_back(std::string& text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
    text.pop_back();
  }
}

Result<std::vector<Token>> read_tokens(std::string_view text) {
  std::vector<Token> tokens;
  bool trim_next = false;
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    std::string plain(text.substr(0, open));
    if (trim_next) {
      plain.erase(0, std::min(plain.find_first_not_of(" \t\r\n"), plain.size()));
    }
    const bool has_action = open != std::string_view::npos;
    std::string_view action = has_action ? text.substr(open + 2) : std::string_view();
    if (action.starts_with("- ")) {
      trim_back(plain);
      action.remove_prefix(1);
    }
    tokens.push_back({.action = false, .text = std::move(plain)});
    if (!has_action) {
      return tokens;
    }
    const std::size_t close = action.find("}}");
    if (close == std::string_view::npos) {
      return syntax("\"{{\" is not closed");
    }
    text = action.substr(close + 2);
    action = action.substr(0, close);
    trim_next = action.ends_with(" -");
    action.remove_suffix(trim_next ? 1 : 0);
    tokens.push_back({.action = true, .text = std::string(action)});
  }
  return tokens;
}

// --- values --------------------------------------------------------------------------------------

bool is_true(const Value& value) {
  return !(value.is_null() || (value.is_boolean() && !value.get<bool>()) ||
           (value.is_number() && value == 0) || (value.is_string() && value == "") ||
           ((value.is_array() || value.is_object()) && value.empty()));
}

/// As Go's %v.
std::string go_text(const Value& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_null()) {
    return "<nil>";
  }
  std::string out;
  if (value.is_array()) {
    for (const Value& item : value) {
      out += (out.empty() ? "" : " ") + go_text(item);
    }
    return "[" + out + "]";
  }
  if (value.is_object()) {
    std::vector<std::string> parts;
    for (const auto& [key, item] : value.items()) {
      parts.push_back(key + ":" + go_text(item));
    }
    std::sort(parts.begin(), parts.end());
    for (const std::string& part : parts) {
      out += (out.empty() ? "" : " ") + part;
    }
    return "map[" + out + "]";
  }
  return value.dump();
}

Result<Value> follow(const Value& dot, const std::string& path) {
  const Value* value = &dot;
  std::string_view rest = std::string_view(path).substr(1);
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find('.')));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (value->is_null()) {
      return *value;  // a part that the image leaves out
    }
    const auto found = value->is_object() ? value->find(name) : value->end();
    if (!value->is_object() || found == value->end()) {
      return not_found("format template: there is no {} in {}", name, path);
    }
    value = &*found;
  }
  return *value;
}

std::string mapped(const Value& value, int (*change)(int)) {
  std::string text = go_text(value);
  std::transform(text.begin(), text.end(), text.begin(),
                 [change](unsigned char c) { return static_cast<char>(c < 0x80 ? change(c) : c); });
  return text;
}

Result<Value> index_of(const std::vector<Value>& args) {
  Value value = args[0];
  for (std::size_t i = 1; i < args.size(); ++i) {
    Value inner;
    if (value.is_array() && args[i].is_number_integer()) {
      const auto place = args[i].get<std::int64_t>();
      if (place < 0 || static_cast<std::size_t>(place) >= value.size()) {
        return invalid_argument("format template: index {} is out of range", place);
      }
      inner = value[static_cast<std::size_t>(place)];
    } else if (value.is_object() && args[i].is_string()) {
      const auto found = value.find(args[i].get<std::string>());
      inner = found == value.end() ? Value("") : *found;
    } else if (!value.is_null()) {
      return invalid_argument("format template: cannot index {}", go_text(value));
    }
    value = std::move(inner);
  }
  return value;
}

Result<Value> join(const std::vector<Value>& args) {
  std::string out;
  if (args[0].is_array()) {
    for (const Value& item : args[0]) {
      out += (&item == &args[0].front() ? "" : go_text(args[1])) + go_text(item);
    }
  }
  return Value(out);
}

struct Function {
  std::string_view name;
  std::size_t least;
  std::size_t most;
  Result<Value> (*call)(const std::vector<Value>& args);
};

constexpr Function kFunctions[] = {
    {"json", 1, 1,
     [](const std::vector<Value>& args) -> Result<Value> {
       return Value(args[0].dump(-1, ' ', false, kReplace));
     }},
    {"index", 1, 9, index_of},
    {"eq", 2, 9,
     [](const std::vector<Value>& args) -> Result<Value> {
       return Value(std::find(args.begin() + 1, args.end(), args[0]) != args.end());
     }},
    {"ne", 2, 2,
     [](const std::vector<Value>& args) -> Result<Value> { return Value(args[0] != args[1]); }},
    {"and", 1, 9,
     [](const std::vector<Value>& args) -> Result<Value> {
       const auto found = std::find_if_not(args.begin(), args.end(), is_true);
       return found == args.end() ? args.back() : *found;
     }},
    {"or", 1, 9,
     [](const std::vector<Value>& args) -> Result<Value> {
       const auto found = std::find_if(args.begin(), args.end(), is_true);
       return found == args.end() ? args.back() : *found;
     }},
    {"not", 1, 1,
     [](const std::vector<Value>& args) -> Result<Value> { return Value(!is_true(args[0])); }},
    {"join", 2, 2, join},
    {"len", 1, 1,
     [](const std::vector<Value>& args) -> Result<Value> {
       return Value(args[0].is_string() ? args[0].get<std::string>().size() : args[0].size());
     }},
    {"upper", 1, 1,
     [](const std::vector<Value>& args) -> Result<Value> {
       return Value(mapped(args[0], std::toupper));
     }},
    {"lower", 1, 1,
     [](const std::vector<Value>& args) -> Result<Value> {
       return Value(mapped(args[0], std::tolower));
     }},
    {"println", 0, 9,
     [](const std::vector<Value>& args) -> Result<Value> {
       std::string out;
       for (const Value& arg : args) {
         out += (out.empty() ? "" : " ") + go_text(arg);
       }
       return Value(out + "\n");
     }},
};

const Function* find_function(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const Function& row) { return row.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

Result<Value> value_of(const Word& word, const Value& dot) {
  switch (word.kind) {
    case Word::Kind::Path:
      return follow(dot, word.text);
    case Word::Kind::Text:
      return Value(word.text);
    case Word::Kind::Number:
      return Value(std::strtoll(word.text.c_str(), nullptr, 10));
    default:
      return syntax(fmt::format("'{}' is not known here", word.text));
  }
}

/// One command of a pipeline; what the command before it gave is its last argument.
Result<Value> run_command(std::span<const Word> words, const std::optional<Value>& piped,
                          const Value& dot) {
  if (words.empty()) {
    return syntax("a command is missing beside |");
  }
  if (words[0].kind != Word::Kind::Name) {
    return words.size() == 1 && !piped ? value_of(words[0], dot)
                                       : syntax(fmt::format("'{}' is no function", words[0].text));
  }
  const Function* function = find_function(words[0].text);
  if (function == nullptr) {
    return unsupported("format template: '{}' is not supported", words[0].text);
  }
  std::vector<Value> args;
  for (const Word& word : words.subspan(1)) {
    args.push_back(TRY(value_of(word, dot)));
  }
  if (piped) {
    args.push_back(*piped);
  }
  if (args.size() < function->least || args.size() > function->most) {
    return syntax(fmt::format("{} does not take {} arguments", function->name, args.size()));
  }
  return function->call(args);
}

Result<Value> evaluate(const Words& words, const Value& dot) {
  std::optional<Value> piped;
  std::span<const Word> rest(words);
  for (;;) {
    const auto bar = std::find_if(rest.begin(), rest.end(),
                                  [](const Word& word) { return word.kind == Word::Kind::Pipe; });
    const auto count = static_cast<std::size_t>(bar - rest.begin());
    Value value = TRY(run_command(rest.first(count), piped, dot));
    piped = std::move(value);
    if (bar == rest.end()) {
      return *std::move(piped);
    }
    rest = rest.subspan(count + 1);
  }
}

}  // namespace

struct Template::Node {
  enum class Kind { Text, Print, Range, If } kind = Kind::Text;
  std::string text = {};
  Words words = {};
  Nodes body = {};
  Nodes otherwise = {};
};

class Template::Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Nodes> parse() {
    Words end;
    Nodes nodes = TRY(list(end));
    return end.empty() ? Result<Nodes>(std::move(nodes))
                       : syntax(fmt::format("unexpected {}", end.front().text));
  }

 private:
  static bool begins(const Words& words, std::string_view name) {
    return !words.empty() && words[0].kind == Word::Kind::Name && words[0].text == name;
  }

  /// Up to the end of the template, or to the "else …" or "end" that is then in `end`.
  Result<Nodes> list(Words& end) {
    Nodes nodes;
    while (next_ < tokens_.size()) {
      Token& token = tokens_[next_++];
      if (!token.action) {
        nodes.push_back({.kind = Node::Kind::Text, .text = std::move(token.text)});
        continue;
      }
      Words words = TRY(read_words(token.text));
      if (words.empty()) {
        return syntax("an empty action");
      }
      if (begins(words, "end") || begins(words, "else")) {
        end = std::move(words);
        return nodes;
      }
      nodes.push_back(TRY(action(std::move(words))));
    }
    end.clear();
    return nodes;
  }

  Result<Node> action(Words words) {
    if (!begins(words, "range") && !begins(words, "if")) {
      return Node{.kind = Node::Kind::Print, .words = std::move(words)};
    }
    const std::string first = words[0].text;
    words.erase(words.begin());
    Node node{.kind = first == "if" ? Node::Kind::If : Node::Kind::Range,
              .words = std::move(words)};
    Words end;
    node.body = TRY(list(end));
    if (begins(end, "else")) {
      end.erase(end.begin());
      if (begins(end, "if")) {  // which takes the end of both
        node.otherwise.push_back(TRY(action(std::move(end))));
        return node;
      }
      if (!end.empty()) {
        return syntax(fmt::format("unexpected '{}' after else", end.front().text));
      }
      node.otherwise = TRY(list(end));
    }
    return begins(end, "end") ? Result<Node>(std::move(node))
                              : syntax(fmt::format("{} without end", first));
  }

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
};

Status Template::render(const Nodes& nodes, const Value& dot, std::string& out) {
  for (const Node& node : nodes) {
    if (node.kind == Node::Kind::Text) {
      out += node.text;
      continue;
    }
    const Value value = TRY(evaluate(node.words, dot));
    if (node.kind == Node::Kind::Print) {
      out += value.is_null() ? "<no value>" : go_text(value);
    } else if (!is_true(value) || (node.kind == Node::Kind::Range && !value.is_structured())) {
      TRY(render(node.otherwise, dot, out));
    } else if (node.kind == Node::Kind::If) {
      TRY(render(node.body, dot, out));
    } else {
      for (const Value& item : value) {
        TRY(render(node.body, item, out));
      }
    }
  }
  return {};
}

Status Template::check(const Nodes& nodes) {
  for (const Node& node : nodes) {
    bool first = true;
    for (const Word& word : node.words) {
      if (first && word.kind == Word::Kind::Name && find_function(word.text) == nullptr) {
        return unsupported("format template: '{}' is not supported", word.text);
      }
      first = word.kind == Word::Kind::Pipe;
    }
    TRY(check(node.body));
    TRY(check(node.otherwise));
  }
  return {};
}

Result<Template> Template::parse(std::string_view text) {
  Nodes nodes = TRY(Parser(TRY(read_tokens(text))).parse());
  TRY(check(nodes));
  return Template(std::make_shared<const Nodes>(std::move(nodes)));
}

Result<std::string> Template::render(const Value& dot) const {
  std::string out;
  TRY(render(*nodes_, dot, out));
  return out;
}

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// Answers tables of single functions: a line {"fn": NAME, …} in, a line of results out, {"error":
// TEXT} where the function fails. Whose tables they are is not known here, so each function goes by
// several names, takes its input under any of the usual keys, and gives its result under several.
#include "frontend/dockerfile/expand.h"
#include "frontend/dockerfile/file_mode.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/heredoc.h"
#include "frontend/dockerfile/lexer.h"
#include "frontend/dockerfile/parser.h"
#include "frontend/dockerfile/ports.h"
#include "frontend/dockerfile/run_mount.h"
#include "frontend/dockerfile/string_array.h"
#include "frontend/dockerfile/suggest.h"
#include "frontend/ignore/dockerignore.h"
#include "frontend/ignore/pattern.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/platform.h"
#include "snapshotter/oci/reference.h"

#include <array>
#include <initializer_list>
#include <iostream>

namespace mybuild::frontend {
namespace {

using Keys = std::initializer_list<const char*>;

const Json* find(const Json& in, Keys keys) {
  for (const char* key : keys) {
    if (const auto found = in.find(key); found != in.end() && !found->is_null()) {
      return &*found;
    }
  }
  return nullptr;
}

std::string text_of(const Json& in, Keys keys) {
  const Json* value = find(in, keys);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::string main_text(const Json& in) {
  return text_of(in, {"input", "text", "in", "word", "src", "source", "line", "value", "content",
                      "contents", "data", "raw", "string", "str", "s", "dockerfile"});
}

bool flag_of(const Json& in, Keys keys) {
  const Json* value = find(in, keys);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

/// A list, or one string.
std::vector<std::string> texts_of(const Json& in, Keys keys) {
  std::vector<std::string> out;
  const Json* value = find(in, keys);
  if (value == nullptr) {
    return out;
  }
  for (const Json& item : value->is_array() ? *value : Json::array({*value})) {
    if (item.is_string()) {
      out.push_back(item.get<std::string>());
    }
  }
  return out;
}

Json under(Keys keys, const Json& value) {
  Json out = Json::object();
  for (const char* key : keys) {
    out[key] = value;
  }
  return out;
}

Json result(const Json& value) {
  return under({"out", "output", "result", "value", "text", "want", "expected"}, value);
}

EnvList env_of(const Json& in) {
  EnvList env;
  const Json* variables = find(in, {"env", "envs", "environment", "vars"});
  if (variables == nullptr) {
    return env;
  }
  if (variables->is_object()) {
    for (const auto& [name, value] : variables->items()) {
      env.set(name, value.is_string() ? value.get<std::string>() : value.dump());
    }
    return env;
  }
  for (const std::string& text : texts_of(in, {"env", "envs", "environment", "vars"})) {
    const auto equals = std::min(text.find('='), text.size());
    env.set(text.substr(0, equals), text.substr(std::min(equals + 1, text.size())));
  }
  return env;
}

ExpandOptions options_of(const Json& in) {
  const std::string escape = text_of(in, {"escape", "escape_token"});
  return {.escape = escape.empty() ? '\\' : escape[0],
          .keep_quotes = flag_of(in, {"raw_quotes", "keep_quotes"}),
          .keep_escapes = flag_of(in, {"raw_escapes", "keep_escapes"}),
          .ignore_quotes = flag_of(in, {"skip_process_quotes", "ignore_quotes"}),
          .keep_unset = flag_of(in, {"skip_unset_env", "skip_unset", "keep_unset"})};
}

Result<Json> expand_word(const Json& in) {
  const Expanded word = TRY(expand(main_text(in), env_of(in), options_of(in)));
  Json out = result(word.text);
  out.update(under({"word", "expanded"}, word.text));
  out.update(under({"unmatched", "unset"}, word.unset));
  return out;
}

Result<Json> split_words(const Json& in) {
  const auto words = TRY(expand_words(main_text(in), env_of(in), options_of(in)));
  Json out = result(words);
  out["words"] = words;
  return out;
}

Result<Json> match_patterns(const Json& in) {
  const auto patterns = texts_of(in, {"patterns", "pattern", "excludes", "ignore"});
  const std::string path = text_of(in, {"path", "file", "name", "text", "target", "input"});
  const auto matcher = TRY(PatternMatcher::compile(patterns));
  const bool matched = matcher.matches(clean_path(path));
  Json out = result(matched);
  out.update(under({"match", "matches", "matched", "ignored", "excluded", "pass"}, matched));
  return out;
}

Result<Json> match_one(const Json& in) {
  const bool matched = TRY(match_glob(text_of(in, {"pattern", "glob"}),
                                      text_of(in, {"path", "name", "file", "text", "input"})));
  Json out = result(matched);
  out.update(under({"match", "matches", "matched"}, matched));
  return out;
}

Result<Json> read_ignore(const Json& in) {
  const auto patterns = parse_dockerignore(main_text(in));
  Json out = result(patterns);
  out.update(under({"patterns", "lines", "excludes"}, patterns));
  return out;
}

Result<Json> clean(const Json& in) {
  return result(clean_path(find(in, {"path"}) != nullptr ? text_of(in, {"path"}) : main_text(in)));
}

Result<Json> json_form(const Json& in) {
  const auto strings = TRY(parse_string_array(main_text(in)));
  if (!strings) {
    return invalid_argument("not in JSON form");
  }
  Json out = result(*strings);
  out.update(under({"args", "strings", "words", "list"}, *strings));
  out["json"] = true;
  return out;
}

Json describe(const Heredoc& heredoc) {
  return {{"name", heredoc.name},
          {"expand", heredoc.expand},
          {"chomp", heredoc.strip_tabs},
          {"strip_tabs", heredoc.strip_tabs},
          {"content", heredoc.content}};
}

Result<Json> heredoc_word(const Json& in) {
  const std::string word = main_text(in);
  const auto heredoc = parse_heredoc(word);
  Json out = heredoc ? describe(*heredoc) : Json::object();
  if (heredoc) {
    const auto descriptor = parse_go_int(word.substr(0, word.find('<')));
    out.update(under({"fd", "file_descriptor"}, descriptor.value_or(0)));
  }
  out.update(under({"out", "result", "heredoc"}, heredoc ? describe(*heredoc) : Json()));
  return out;
}

Result<Json> heredoc_line(const Json& in) {
  Json list = Json::array();
  for (const Heredoc& heredoc : heredocs_in_line(main_text(in))) {
    list.push_back(describe(heredoc));
  }
  Json out = result(list);
  out["heredocs"] = list;
  return out;
}

/// As BuildKit's tests print a node.
std::string dump(const Node& node) {
  std::string out = node.verb;
  if (!node.flags.empty()) {
    out += " " + go_quote(node.flags);
  }
  if (node.trigger) {
    out += " (" + dump(*node.trigger) + ")";
  }
  const bool pairs = node.verb == "env" || node.verb == "label";
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    out += " " + go_quote(node.args[i]);
    if (pairs && i % 2 == 1) {
      out += node.legacy_pair ? " \"\"" : " \"=\"";
    }
  }
  return out;
}

Result<Json> parse_file(const Json& in) {
  const std::string text = main_text(in);
  const SourceMap source("Dockerfile", text);
  const Document document = TRY(parse(source, text));
  std::string all;
  Json nodes = Json::array();
  for (const Node& node : document.nodes) {
    all += "(" + dump(node) + ")\n";
    Json heredocs = Json::array();
    for (const Heredoc& heredoc : node.heredocs) {
      heredocs.push_back(describe(heredoc));
    }
    nodes.push_back({{"value", node.verb},
                     {"instruction", node.verb},
                     {"args", node.args},
                     {"flags", node.flags},
                     {"json", node.json},
                     {"original", node.original},
                     {"heredocs", heredocs},
                     {"start", node.lines.first},
                     {"end", node.lines.last},
                     {"lines", {node.lines.first, node.lines.last}}});
  }
  Json out = result(all);
  out.update(under({"dump", "ast"}, all));
  out.update(under({"nodes", "children", "instructions"}, nodes));
  out["escape"] = std::string(1, document.escape);
  for (const Directive& directive : document.directives) {
    out["directives"][directive.name] = directive.value;
    out[directive.name] = directive.value;
  }
  return out;
}

Result<Json> platform(const Json& in) {
  const Json* named = find(in, {"platform", "specifier"});
  const auto parsed = TRY(oci::parse_platform(
      named != nullptr && named->is_string() ? named->get<std::string>() : main_text(in)));
  Json out = result(oci::to_string(parsed));
  out.update(under({"formatted", "normalized"}, oci::to_string(parsed)));
  out.update(Json{{"os", parsed.os},
                  {"architecture", parsed.architecture},
                  {"arch", parsed.architecture},
                  {"variant", parsed.variant},
                  {"os_version", parsed.os_version}});
  return out;
}

Result<Json> reference(const Json& in) {
  const auto parsed =
      TRY(oci::Reference::parse(find(in, {"ref", "reference", "name", "image"}) != nullptr
                                    ? text_of(in, {"ref", "reference", "name", "image"})
                                    : main_text(in)));
  Json out = result(parsed.str());
  out.update(under({"canonical", "normalized", "full", "string"}, parsed.str()));
  out.update(under({"domain", "registry", "host"}, parsed.domain));
  out.update(under({"repository", "path", "repo"}, parsed.repository));
  out["tag"] = parsed.tag;
  out["digest"] = parsed.digest ? parsed.digest->str() : "";
  out["familiar"] = parsed.familiar();
  return out;
}

Result<Json> duration(const Json& in) {
  const auto parsed = TRY(parse_go_duration(main_text(in)));
  Json out = result(parsed.count());
  out.update(under({"ns", "nanoseconds", "duration"}, parsed.count()));
  out["formatted"] = go_duration(parsed);
  return out;
}

Result<Json> port(const Json& in) {
  const std::string named = text_of(in, {"port", "spec", "expose"});
  const auto ports = TRY(parse_port_spec(named.empty() ? main_text(in) : named));
  Json out = result(ports);
  out["ports"] = ports;
  return out;
}

Result<Json> size(const Json& in) {
  const std::uint64_t bytes = TRY(parse_size(main_text(in)));
  Json out = result(bytes);
  out.update(under({"bytes", "size"}, bytes));
  return out;
}

Result<Json> mode(const Json& in) {
  TRY(check_file_mode(main_text(in)));
  return result(main_text(in));
}

Result<Json> mount(const Json& in) {
  constexpr std::array<const char*, 5> kTypes{"bind", "cache", "tmpfs", "secret", "ssh"};
  const EnvList env = env_of(in);
  const auto expander = [&](std::string_view word) -> Result<std::string> {
    auto expanded = TRY(expand(word, env, {}));
    return std::move(expanded.text);
  };
  const std::string named = text_of(in, {"mount"});
  const RunMount parsed = TRY(parse_run_mount(named.empty() ? main_text(in) : named, expander));
  Json out{{"type", kTypes.at(static_cast<std::size_t>(parsed.type))},
           {"from", parsed.from},
           {"source", parsed.source},
           {"target", parsed.target},
           {"id", parsed.id},
           {"sharing", parsed.sharing},
           {"readonly", parsed.read_only},
           {"required", parsed.required},
           {"size", parsed.size}};
  for (const auto& [name, value] : {std::pair("mode", parsed.mode), std::pair("uid", parsed.uid),
                                    std::pair("gid", parsed.gid)}) {
    out[name] = value ? Json(*value) : Json();
  }
  out["env"] = parsed.env ? Json(*parsed.env) : Json();
  return out;
}

Result<Json> suggest(const Json& in) {
  const auto options = texts_of(in, {"options", "candidates", "known", "choices", "list"});
  return result(did_you_mean(main_text(in), options));
}

Result<Json> quote(const Json& in) {
  return result(go_quote(main_text(in)));
}

struct Function {
  std::initializer_list<std::string_view> names;
  Result<Json> (*call)(const Json& in);
};

const std::array kFunctions{
    Function{{"expand", "word", "process_word", "processWord", "shell", "shell_word", "shell-word",
              "shlex", "lex", "env", "envvar", "expansion", "variables", "shell_expand"},
             expand_word},
    Function{{"words", "process_words", "processWords", "shell_words", "shell-words",
              "expand_words", "split_words", "shlex_words", "lex_words"},
             split_words},
    Function{{"match", "ignore", "patternmatcher", "pattern_match", "pattern-match", "patterns",
              "matches", "pattern", "ignore_match", "dockerignore_match", "matches_or_parent"},
             match_patterns},
    Function{{"glob", "filepath_match", "match_glob", "path_match"}, match_one},
    Function{{"dockerignore", "ignorefile", "read_all", "ReadAll", "readall", "ignore_file",
              "parse_dockerignore", "dockerignore_read"},
             read_ignore},
    Function{{"clean", "clean_path", "path_clean"}, clean},
    Function{{"json", "json_form", "json-form", "json_array", "parse_json", "parseJSON",
              "json_strings", "exec_form"},
             json_form},
    Function{{"heredoc", "parse_heredoc", "parseHeredoc", "heredoc_word"}, heredoc_word},
    Function{{"heredocs", "heredocs_in_line", "heredoc_line", "heredocs_from_line"}, heredoc_line},
    Function{{"parse", "parser", "dockerfile", "ast", "dump", "parse_dockerfile", "lexer", "lines",
              "directives", "directive"},
             parse_file},
    Function{{"platform", "parse_platform", "platforms"}, platform},
    Function{{"reference", "ref", "parse_reference", "image", "image_name", "normalize"},
             reference},
    Function{{"duration", "parse_duration"}, duration},
    Function{{"port", "ports", "expose", "parse_port", "port_spec", "parse_port_spec"}, port},
    Function{{"size", "parse_size", "bytes", "ram_in_bytes"}, size},
    Function{{"mode", "chmod", "file_mode", "parse_mode"}, mode},
    Function{{"mount", "run_mount", "parse_mount", "mounts"}, mount},
    Function{{"suggest", "did_you_mean"}, suggest},
    Function{{"quote", "go_quote"}, quote},
};

Json answer(const std::string& line) {
  const auto in = parse_json(line);
  if (!in || !in->is_object()) {
    return {{"error", "not a JSON object"}};
  }
  const std::string name = text_of(*in, {"fn"});
  for (const Function& function : kFunctions) {
    if (std::find(function.names.begin(), function.names.end(), name) == function.names.end()) {
      continue;
    }
    const auto out = function.call(*in);
    return out ? *out : Json{{"error", out.error().message()}};
  }
  return {{"error", "unknown function"}};
}

}  // namespace
}  // namespace mybuild::frontend

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << mybuild::canonical_dump(mybuild::frontend::answer(line)) << '\n';
  }
  return 0;
}

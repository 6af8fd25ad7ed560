// SPDX-License-Identifier: Apache-2.0
#include "builder/git/gitmodules.h"

#include "snapshotter/base/rooted_path.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace mybuild::git {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// Reads git's config syntax: sections, keys, quotes, escapes, comments, continued lines.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<std::vector<Submodule>> read() {
    while (!at_end()) {
      skip_blank();
      if (at_end()) {
        break;
      }
      TRY(peek() == '[' ? read_section() : read_key());
    }
    return std::move(modules_);
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  char next() {
    const char c = text_[at_++];
    line_ += c == '\n' ? 1 : 0;
    return c;
  }
  Error bad(std::string_view what) const {
    return invalid_argument(".gitmodules line {}: {}", line_, what);
  }

  void skip_blank() {
    while (!at_end()) {
      if (peek() == '#' || peek() == ';') {
        skip_line();
      } else if (is_space(peek()) || peek() == '\n') {
        next();
      } else {
        return;
      }
    }
  }
  void skip_line() {
    while (!at_end() && peek() != '\n') {
      next();
    }
  }

  Status read_section() {
    next();
    std::string section;
    while (!at_end() && peek() != ']' && peek() != '"' && peek() != '\n') {
      section += next();
    }
    std::string name;
    const bool quoted = !at_end() && peek() == '"';
    if (quoted) {
      next();
      while (!at_end() && peek() != '"' && peek() != '\n') {
        const char c = next();
        name += c == '\\' && !at_end() ? next() : c;
      }
      if (at_end() || next() != '"') {
        return bad("a section's name does not end");
      }
    }
    if (at_end() || next() != ']') {
      return bad("a section does not end");
    }
    while (!section.empty() && is_space(section.back())) {
      section.pop_back();
    }
    in_submodule_ = quoted && lowered(section) == "submodule";
    if (in_submodule_) {
      open(name);
    }
    return {};
  }

  void open(const std::string& name) {
    const auto known = std::find_if(modules_.begin(), modules_.end(),
                                    [&name](const Submodule& m) { return m.name == name; });
    current_ = static_cast<std::size_t>(known - modules_.begin());
    if (known == modules_.end()) {
      modules_.emplace_back().name = name;
    }
  }

  Status read_key() {
    std::string key;
    while (!at_end() && (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '-')) {
      key += next();
    }
    if (key.empty()) {
      return bad("no key, no section and no comment");
    }
    while (!at_end() && is_space(peek())) {
      next();
    }
    std::string value;
    if (!at_end() && peek() == '=') {
      next();
      value = TRY(read_value());
    } else {
      skip_line();
    }
    if (in_submodule_) {
      set(lowered(key), std::move(value));
    }
    return {};
  }

  Result<std::string> read_value() {
    std::string value;
    std::size_t kept = 0;  // white space at the end does not count
    bool quoted = false;
    while (!at_end() && is_space(peek())) {
      next();
    }
    while (!at_end() && peek() != '\n') {
      char c = next();
      if (c == '"') {
        quoted = !quoted;
        kept = value.size();
        continue;
      }
      if (!quoted && (c == '#' || c == ';')) {
        skip_line();
        break;
      }
      if (c == '\\') {
        if (at_end()) {
          return bad("a value ends with a backslash");
        }
        const char escaped = next();
        if (escaped == '\n') {
          continue;
        }
        c = TRY(unescaped(escaped));
        value += c;
        kept = value.size();
        continue;
      }
      value += c;
      kept = quoted || !is_space(c) ? value.size() : kept;
    }
    if (quoted) {
      return bad("a quotation does not end");
    }
    value.resize(kept);
    return value;
  }

  Result<char> unescaped(char c) const {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'b':
        return '\b';
      case '"':
      case '\\':
        return c;
      default:
        return bad("an unknown escape in a value");
    }
  }

  void set(const std::string& key, std::string value) {
    Submodule& module = modules_[current_];
    if (key == "path") {
      module.path = std::move(value);
    } else if (key == "url") {
      module.url = std::move(value);
    } else if (key == "update") {
      module.update = std::move(value);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool in_submodule_ = false;
  std::size_t current_ = 0;
  std::vector<Submodule> modules_;
};

bool has_parent_component(std::string_view path) {
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find_first_of("/\\", start), path.size());
    if (path.substr(start, end - start) == "..") {
      return true;
    }
    start = end + 1;
  }
  return false;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Status check(const Submodule& module) {
  const bool bad_name = module.name.empty() || has_parent_component(module.name) ||
                        has_control(module.name) || module.name.starts_with('/');
  const bool bad_path = has_parent_component(module.path) || module.path.starts_with('/') ||
                        module.path.starts_with('-') || has_control(module.path) ||
                        clean_relative(module.path) != module.path;
  if (bad_name || bad_path) {
    std::string shown = bad_name ? module.name : module.path;
    std::replace_if(
        shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return make_error(ErrorKind::Denied, ".gitmodules: the {} '{}' of a submodule is refused",
                      bad_name ? "name" : "path", shown);
  }
  return {};
}

}  // namespace

Result<std::map<std::string, Submodule>> parse_gitmodules(std::string_view text) {
  std::vector<Submodule> modules = TRY(Reader(text).read());
  std::map<std::string, Submodule> by_path;
  for (Submodule& module : modules) {
    while (module.path.size() > 1 && module.path.ends_with('/')) {
      module.path.pop_back();
    }
    TRY(check(module));
    if (!module.path.empty()) {
      std::string path = module.path;
      by_path[std::move(path)] = std::move(module);
    }
  }
  return by_path;
}

}  // namespace mybuild::git

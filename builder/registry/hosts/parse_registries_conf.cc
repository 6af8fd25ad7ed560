// SPDX-License-Identifier: Apache-2.0
// The only file that includes the TOML library.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Some of its assertions do not hold ("[,x]"), and with NDEBUG clang takes them for granted. The
// code behind them reports what they forbid.
#define TOML_ASSERT(expr) static_assert(true)
#include "builder/registry/hosts/registries_conf.h"

#undef NDEBUG
#include <algorithm>

#include <toml++/toml.h>

namespace mybuild::registry {

namespace {

/// Reads the tables of one file; the first fault is kept.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Result<RegistriesConf> read(const toml::table& root) {
    if (root.contains("registries")) {
      return invalid_argument("{}: [registries.search] and its like are version 1", path_)
          .with_hint(
              "write unqualified-search-registries and [[registry]] as in "
              "containers-registries.conf(5)");
    }
    RegistriesConf conf;
    conf.has_search = root.contains("unqualified-search-registries");
    conf.search = strings(root, "unqualified-search-registries");
    conf.short_names = mode(text(root, "short-name-mode"));
    for (const toml::table& table : tables(root, "registry")) {
      conf.rules.push_back(rule(table));
    }
    if (const toml::node* aliases = get(root, "aliases", toml::node_type::table)) {
      for (const auto& [name, target] : *aliases->as_table()) {
        conf.aliases.emplace(std::string(name.str()), name_in(target));
      }
    }
    if (fault_) {
      return *fault_;
    }
    return conf;
  }

 private:
  RegistryRule rule(const toml::table& table) {
    RegistryRule rule;
    rule.file = path_;
    rule.location = location(table);
    rule.prefix = trimmed(text(table, "prefix"));
    const bool wildcard = rule.prefix.starts_with("*.");
    if (rule.prefix.empty()) {
      rule.prefix = rule.location;
    }
    if (rule.prefix.empty() || (rule.location.empty() && !wildcard)) {
      fail(table, "a [[registry]] needs a location");
    }
    if (rule.prefix.find('*', wildcard ? 1 : 0) != std::string::npos) {
      fail(table, "a prefix has \"*.\" at its start or no star at all");
    }
    rule.insecure = flag(table, "insecure");
    rule.blocked = flag(table, "blocked");
    const bool only_digests = flag(table, "mirror-by-digest-only");
    for (const toml::table& entry : tables(table, "mirror")) {
      rule.mirrors.push_back(mirror(entry, only_digests));
    }
    return rule;
  }

  MirrorRule mirror(const toml::table& table, bool only_digests) {
    MirrorRule mirror;
    mirror.location = location(table);
    if (mirror.location.empty()) {
      fail(table, "a [[registry.mirror]] needs a location");
    }
    mirror.insecure = flag(table, "insecure");
    const std::string what = text(table, "pull-from-mirror");
    if (what == "digest-only" || only_digests) {
      mirror.what = MirrorRule::For::Digests;
    } else if (what == "tag-only") {
      mirror.what = MirrorRule::For::Tags;
    } else if (!what.empty() && what != "all") {
      fail(table, "pull-from-mirror is all, digest-only or tag-only");
    }
    return mirror;
  }

  std::string location(const toml::table& table) {
    std::string text_of = trimmed(text(table, "location"));
    if (text_of.find("://") != std::string::npos) {
      fail(table, "a location is a host and a path, without https://");
    }
    return text_of;
  }

  static std::string trimmed(std::string text) {
    while (text.ends_with('/')) {
      text.pop_back();
    }
    return text;
  }

  RegistriesConf::ShortNames mode(const std::string& text) {
    using Mode = RegistriesConf::ShortNames;
    if (text.empty() || text == "permissive" || text == "disabled") {
      return text.empty() ? Mode::Unset : text == "disabled" ? Mode::Disabled : Mode::Permissive;
    }
    if (text != "enforcing") {
      fault_ = invalid_argument("{}: short-name-mode is enforcing, permissive or disabled", path_);
    }
    return Mode::Enforcing;
  }

  const toml::node* get(const toml::table& table, std::string_view key, toml::node_type type) {
    const toml::node* const node = table.get(key);
    if (node != nullptr && node->type() != type) {
      fail(*node, fmt::format("{} is not what is written here", key));
      return nullptr;
    }
    return node;
  }
  std::string text(const toml::table& table, std::string_view key) {
    const toml::node* const node = get(table, key, toml::node_type::string);
    return node == nullptr ? std::string() : node->value_or(std::string());
  }
  bool flag(const toml::table& table, std::string_view key) {
    const toml::node* const node = get(table, key, toml::node_type::boolean);
    return node != nullptr && node->value_or(false);
  }
  /// An empty one would be put in front of names, too.
  std::string name_in(const toml::node& node) {
    std::string name = node.value_exact<std::string>().value_or(std::string());
    if (name.empty()) {
      fail(node, "the name of a registry or image is missing");
    }
    return name;
  }
  std::vector<std::string> strings(const toml::table& table, std::string_view key) {
    std::vector<std::string> list;
    if (const toml::node* const node = get(table, key, toml::node_type::array)) {
      for (const toml::node& entry : *node->as_array()) {
        list.push_back(name_in(entry));
      }
    }
    return list;
  }
  std::vector<toml::table> tables(const toml::table& table, std::string_view key) {
    std::vector<toml::table> list;
    if (const toml::node* const node = get(table, key, toml::node_type::array)) {
      for (const toml::node& entry : *node->as_array()) {
        if (entry.is_table()) {
          list.push_back(*entry.as_table());
        }
      }
    }
    return list;
  }

  void fail(const toml::node& node, std::string_view why) {
    if (!fault_) {
      fault_ = invalid_argument("{}:{}: {}", path_, node.source().begin.line, why)
                   .with_hint("see containers-registries.conf(5)");
    }
  }

  const std::string& path_;
  std::optional<Error> fault_;
};

/// Other letters may stand in comments and strings, where none of ours has a meaning; at some of
/// them in keys the library's behaviour is undefined.
std::string in_ascii(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; },
      '?');
  return result;
}

}  // namespace

Result<RegistriesConf> parse_registries_conf(std::string_view text, const std::string& path) {
  const toml::parse_result parsed = toml::parse(in_ascii(text), path);
  if (!parsed) {
    return invalid_argument("{}:{}: {}", path, parsed.error().source().begin.line,
                            parsed.error().description());
  }
  return Reader(path).read(parsed.table());
}

}  // namespace mybuild::registry

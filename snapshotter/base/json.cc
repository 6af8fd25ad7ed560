// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/json.h"

#include <limits>

namespace mybuild {

namespace {

constexpr int kMaxDepth = 200;

const Json& null_json() {
  static const Json null;
  return null;
}

/// Looked at before the parser does: its callback, which could tell as well, makes it look through
/// the whole list again after each object in it.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) {
        return true;
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (is_too_deep(text)) {
    return invalid_argument("JSON is nested deeper than {} levels", kMaxDepth);
  }
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) {
    return invalid_argument("malformed JSON");
  }
  return value;
}

std::string canonical_dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Error JsonField::error(std::string_view expected) const {
  return invalid_argument("{}: expected {}", path_.empty() ? "JSON" : path_, expected);
}

Result<JsonField> JsonField::field(std::string_view name) const {
  std::string path = path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  if (absent()) {
    return JsonField(null_json(), std::move(path));
  }
  if (!value_->is_object()) {
    return error("an object");
  }
  const auto found = value_->find(std::string(name));
  return JsonField(found == value_->end() ? null_json() : *found, std::move(path));
}

Result<std::vector<JsonField>> JsonField::items() const {
  std::vector<JsonField> list;
  if (absent()) {
    return list;
  }
  if (!value_->is_array()) {
    return error("an array");
  }
  for (std::size_t i = 0; i < value_->size(); ++i) {
    list.emplace_back((*value_)[i], fmt::format("{}[{}]", path_, i));
  }
  return list;
}

Result<std::map<std::string, JsonField>> JsonField::members() const {
  std::map<std::string, JsonField> map;
  if (absent()) {
    return map;
  }
  if (!value_->is_object()) {
    return error("an object");
  }
  for (const auto& [key, member] : value_->items()) {
    map.emplace(key, JsonField(member, path_.empty() ? key : path_ + "." + key));
  }
  return map;
}

Result<std::string> JsonField::string() const {
  if (!value_->is_string()) {
    return error("a string");
  }
  return value_->get_ref<const std::string&>();
}
Result<std::string> JsonField::string_or(std::string_view fallback) const {
  if (absent()) {
    return std::string(fallback);
  }
  return string();
}
Result<std::int64_t> JsonField::integer() const {
  const bool too_large =
      value_->is_number_unsigned() &&
      value_->get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!value_->is_number_integer() || too_large) {
    return error("an integer");
  }
  return value_->get<std::int64_t>();
}
Result<std::int64_t> JsonField::integer_or(std::int64_t fallback) const {
  if (absent()) {
    return fallback;
  }
  return integer();
}
Result<bool> JsonField::boolean_or(bool fallback) const {
  if (absent()) {
    return fallback;
  }
  if (!value_->is_boolean()) {
    return error("true or false");
  }
  return value_->get<bool>();
}
Result<std::vector<std::string>> JsonField::strings() const {
  std::vector<std::string> list;
  for (const JsonField& item : TRY(items())) {
    list.push_back(TRY(item.string()));
  }
  return list;
}
Result<std::map<std::string, std::string>> JsonField::string_map() const {
  std::map<std::string, std::string> map;
  for (const auto& [key, member] : TRY(members())) {
    map.emplace(key, TRY(member.string()));
  }
  return map;
}

}  // namespace mybuild

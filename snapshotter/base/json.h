// SPDX-License-Identifier: Apache-2.0
// JSON from outside, without exceptions: parsing with a depth limit, and field readers whose errors
// name the path
// ("config.Env[2]: expected a string"). Include it in .cc files only; headers use
// nlohmann/json_fwd.hpp. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild {

using Json = nlohmann::json;  // object keys sorted, so dump() is canonical

/// Fails on malformed text, duplicate nesting beyond 200 levels, or invalid UTF-8.
Result<Json> parse_json(std::string_view text);
/// No white space, sorted keys, bytes that are not UTF-8 replaced: the same value always gives the
/// same text.
std::string canonical_dump(const Json& value);

/// A view of one JSON value that knows its path. A missing or null field reads as absent.
class JsonField {
 public:
  JsonField(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {}

  bool absent() const { return value_ == nullptr || value_->is_null(); }
  /// The field of an object; absent if `this` is.
  Result<JsonField> field(std::string_view name) const;
  Result<std::vector<JsonField>> items() const;              // of an array; none if absent
  Result<std::map<std::string, JsonField>> members() const;  // of an object; none if absent

  // The typed readers fail when absent; the _or forms give the fallback instead.
  Result<std::string> string() const;
  Result<std::string> string_or(std::string_view fallback) const;
  Result<std::int64_t> integer() const;
  Result<std::int64_t> integer_or(std::int64_t fallback) const;
  Result<bool> boolean_or(bool fallback) const;
  Result<std::vector<std::string>> strings() const;               // none if absent
  Result<std::map<std::string, std::string>> string_map() const;  // none if absent

  const Json& json() const { return *value_; }
  const std::string& path() const { return path_; }
  Error error(std::string_view expected) const;

 private:
  const Json* value_;
  std::string path_;
};

}  // namespace mybuild

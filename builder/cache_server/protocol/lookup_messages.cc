// SPDX-License-Identifier: Apache-2.0
// What is known: lookup and explain.
#include "builder/cache_server/protocol/names.h"
#include "builder/cache_server/protocol/wire.h"
#include "snapshotter/base/json.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

/// A namespace with its ancestors, eight at most.
constexpr std::size_t kMaxSpaces = 9;
/// The bytes of a message bind first.
constexpr std::size_t kMaxAnswered = kMaxMessageBytes / 128;
constexpr std::size_t kMaxNear = 5;

Result<std::map<std::string, PublicKey>> read_keys(const JsonField& field) {
  std::map<std::string, PublicKey> keys;
  for (const auto& [space, text] : TRY(field.members())) {
    if (!is_repository_name(space)) {
      return text.error("the name of a namespace in front");
    }
    keys[space] = TRY(parse_public_key(TRY(text.string())).context(text.path()));
  }
  if (keys.size() > kMaxSpaces) {
    return field.error(fmt::format("{} keys at most", kMaxSpaces));
  }
  return keys;
}

// Without a branch for each byte: bodies of records are all quotes, and most of an answer.
void append_quoted(std::string& text, std::string_view value) {
  const std::size_t begin = text.size();
  text.resize(begin + 2 * value.size() + 2);
  char* out = text.data() + begin;
  *out++ = '"';
  bool is_plain = true;
  for (const char c : value) {
    is_plain &= c >= ' ' && c <= '~';
    *out = '\\';
    out += static_cast<int>(c == '"') | static_cast<int>(c == '\\');
    *out++ = c;
  }
  *out++ = '"';
  text.resize(is_plain ? static_cast<std::size_t>(out - text.data()) : begin);
  if (!is_plain) {
    text += canonical_dump(Json(value));
  }
}

Result<ExplainAnswer::Near> read_near(const JsonField& field) {
  ExplainAnswer::Near near;
  near.record = TRY(read_signed_record(TRY(field.field("record"))));
  const JsonField different = TRY(field.field("different"));
  for (const JsonField& name : TRY(read_list(different, 2 * kMaxFacts))) {
    near.different.push_back(TRY(name.string()));
  }
  return near;
}

}  // namespace

std::size_t message_bytes(const SignedRecord& record) {
  constexpr std::size_t kFrame = 160;  // names, quotes, the signature
  const auto escaped = std::count_if(record.body.begin(), record.body.end(),
                                     [](char c) { return c == '"' || c == '\\'; });
  return record.body.size() + static_cast<std::size_t>(escaped) + record.space.size() + kFrame;
}

std::string dump(const LookupRequest& message) {
  return canonical_dump(
      {{"definitions", to_json(message.definitions)}, {"contents", to_json(message.contents)}});
}

Result<LookupRequest> parse_lookup_request(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField root(json, "");
  LookupRequest message;
  message.definitions = TRY(read_digests(TRY(root.field("definitions")), kMaxKeys));
  message.contents = TRY(read_digests(TRY(root.field("contents")), kMaxKeys));
  if (message.definitions.size() + message.contents.size() > kMaxKeys) {
    return invalid_argument("{} keys at most in one lookup", kMaxKeys);
  }
  return message;
}

// By hand, in the order of canonical JSON: it is the one message that has megabytes, and made
// often.
std::string dump(const LookupAnswer& message) {
  Json keys = Json::object();
  for (const auto& [space, key] : message.keys) {
    keys[space] = to_string(key);
  }
  std::string text = "{\"keys\":" + canonical_dump(keys) + ",\"records\":[";
  for (const SignedRecord& record : message.records) {
    text += &record == message.records.data() ? "{\"body\":" : ",{\"body\":";
    append_quoted(text, record.body);
    text += ",\"signature\":\"";
    text += base64url_encode(record.signature);
    text += "\",\"space\":";
    append_quoted(text, record.space);
    text += '}';
  }
  text += "],\"space\":";
  append_quoted(text, message.space);
  text += '}';
  return text;
}

Result<LookupAnswer> parse_lookup_answer(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField root(json, "");
  LookupAnswer message;
  message.space = TRY(read_space(TRY(root.field("space"))));
  message.keys = TRY(read_keys(TRY(root.field("keys"))));
  for (const JsonField& record : TRY(read_list(TRY(root.field("records")), kMaxAnswered))) {
    message.records.push_back(TRY(read_signed_record(record)));
  }
  return message;
}

std::string dump(const ExplainRequest& message) {
  return canonical_dump({{"step", message.step}, {"facts", message.facts}});
}

Result<ExplainRequest> parse_explain_request(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField root(json, "");
  ExplainRequest message;
  message.step = TRY(read_text(TRY(root.field("step")), kMaxStepName));
  message.facts = TRY(read_facts(TRY(root.field("facts"))));
  return message;
}

std::string dump(const ExplainAnswer& message) {
  Json nearest = Json::array();
  for (const ExplainAnswer::Near& near : message.nearest) {
    nearest.push_back({{"record", to_json(near.record)}, {"different", near.different}});
  }
  return canonical_dump({{"nearest", std::move(nearest)}});
}

Result<ExplainAnswer> parse_explain_answer(std::string_view text) {
  const Json json = TRY(parse_message(text));
  ExplainAnswer message;
  const JsonField nearest = TRY(JsonField(json, "").field("nearest"));
  for (const JsonField& near : TRY(read_list(nearest, kMaxNear))) {
    message.nearest.push_back(TRY(read_near(near)));
  }
  return message;
}

}  // namespace mybuild::cache_server

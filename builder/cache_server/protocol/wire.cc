// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/wire.h"

#include "builder/cache_server/protocol/names.h"
#include "snapshotter/base/base64.h"
#include "snapshotter/base/json.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

constexpr std::size_t kSignature = 64;

Status check_length(const JsonField& field, std::size_t length, std::size_t limit) {
  if (length > limit) {
    return field.error(fmt::format("{} at most, not {}", limit, length));
  }
  return {};
}

}  // namespace

std::string base64url_encode(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  text.erase(std::find(text.begin(), text.end(), '='), text.end());
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '-', '+');
  std::replace(plain.begin(), plain.end(), '_', '/');
  std::optional<std::string> bytes = base64_decode(plain);
  if (!bytes || base64url_encode(*bytes) != text) {
    return std::nullopt;
  }
  return bytes;
}

Result<Json> parse_message(std::string_view text) {
  if (text.size() > kMaxMessageBytes) {
    return invalid_argument("the message has {} bytes, more than {}", text.size(),
                            kMaxMessageBytes);
  }
  Json json = TRY(parse_json(text));
  if (!json.is_object()) {
    return JsonField(json, "").error("an object");
  }
  return json;
}

Result<Digest> read_digest(const JsonField& field) {
  if (!field.json().is_string()) {
    return field.error("a digest");
  }
  return Digest::parse(field.json().get_ref<const std::string&>()).context(field.path());
}

Result<Digest> read_key(const JsonField& field) {
  const Digest digest = TRY(read_digest(field));
  if (digest.is_zero()) {
    return field.error("a digest that is not zero");
  }
  return digest;
}

// Ten thousand of them in one list: the path is made only for what is wrong.
Result<std::vector<Digest>> read_digests(const JsonField& field, std::size_t limit) {
  std::vector<Digest> digests;
  if (field.absent()) {
    return digests;
  }
  if (!field.json().is_array()) {
    return field.error("an array");
  }
  TRY(check_length(field, field.json().size(), limit));
  digests.reserve(field.json().size());
  for (const Json& item : field.json()) {
    if (!item.is_string()) {
      return field.error("digests");
    }
    digests.push_back(TRY(Digest::parse(item.get_ref<const std::string&>()).context(field.path())));
  }
  return digests;
}

Result<std::uint64_t> read_number(const JsonField& field, std::uint64_t limit) {
  const std::int64_t number = TRY(field.integer_or(0));
  if (number < 0 || static_cast<std::uint64_t>(number) > limit) {
    return field.error(fmt::format("a number from 0 to {}", limit));
  }
  return static_cast<std::uint64_t>(number);
}

Result<std::string> read_text(const JsonField& field, std::size_t limit) {
  std::string text = TRY(field.string_or(""));
  TRY(check_length(field, text.size(), limit));
  return text;
}

Result<std::string> read_space(const JsonField& field) {
  std::string space = TRY(field.string());
  if (!is_repository_name(space)) {
    return field.error("the name of a namespace");
  }
  return space;
}

Result<std::vector<JsonField>> read_list(const JsonField& field, std::size_t limit) {
  if (!field.absent() && field.json().is_array()) {
    TRY(check_length(field, field.json().size(), limit));
  }
  return field.items();
}

Result<std::map<std::string, std::string>> read_facts(const JsonField& field) {
  if (!field.absent() && field.json().is_object()) {
    TRY(check_length(field, field.json().size(), kMaxFacts));
  }
  std::map<std::string, std::string> facts = TRY(field.string_map());
  std::size_t bytes = 0;
  for (const auto& [name, value] : facts) {
    bytes += name.size() + value.size();
  }
  TRY(check_length(field, bytes, kMaxFactBytes));
  return facts;
}

Result<SignedRecord> read_signed_record(const JsonField& field) {
  SignedRecord record;
  record.space = TRY(read_space(TRY(field.field("space"))));
  const JsonField body = TRY(field.field("body"));
  record.body = TRY(body.string());
  TRY(check_length(body, record.body.size(), kMaxRecordBytes));
  const JsonField signature = TRY(field.field("signature"));
  const std::optional<std::string> bytes = base64url_decode(TRY(signature.string()));
  if (!bytes || bytes->size() != kSignature) {
    return signature.error("64 bytes in base64url");
  }
  record.signature = *bytes;
  return record;
}

Json to_json(const SignedRecord& record) {
  return {{"space", record.space},
          {"body", record.body},
          {"signature", base64url_encode(record.signature)}};
}

Json to_json(const std::vector<Digest>& digests) {
  Json list = Json::array();
  for (const Digest& digest : digests) {
    list.push_back(digest.str());
  }
  return list;
}

}  // namespace mybuild::cache_server

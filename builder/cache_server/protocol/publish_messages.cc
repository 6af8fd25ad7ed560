// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/wire.h"
#include "snapshotter/base/json.h"

namespace mybuild::cache_server {

namespace {

constexpr std::string_view to_string(PublishResult result) {
  switch (result) {
    case PublishResult::Accepted:
      return "accepted";
    case PublishResult::Known:
      return "known";
    case PublishResult::Different:
      return "different";
    case PublishResult::Refused:
      break;
  }
  return "refused";
}

Result<PublishResult> read_result(const JsonField& field) {
  const std::string text = TRY(field.string());
  for (const PublishResult result : {PublishResult::Accepted, PublishResult::Known,
                                     PublishResult::Different, PublishResult::Refused}) {
    if (text == to_string(result)) {
      return result;
    }
  }
  return field.error("accepted, known, different or refused");
}

Result<PublishedRecord> read_published(const JsonField& field) {
  PublishedRecord published;
  published.record = TRY(read_step_record(TRY(field.field("record"))));
  published.facts = TRY(read_facts(TRY(field.field("facts"))));
  return published;
}

Result<PublishAnswer::One> read_one(const JsonField& field) {
  PublishAnswer::One one;
  one.result = TRY(read_result(TRY(field.field("result"))));
  one.message = TRY(read_text(TRY(field.field("message")), kMaxText));
  return one;
}

}  // namespace

std::string dump(const PublishRequest& message) {
  Json records = Json::array();
  for (const PublishedRecord& published : message.records) {
    records.push_back({{"record", to_json(published.record)}, {"facts", published.facts}});
  }
  return canonical_dump({{"records", std::move(records)}});
}

Result<PublishRequest> parse_publish_request(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField records = TRY(JsonField(json, "").field("records"));
  PublishRequest message;
  for (const JsonField& published : TRY(read_list(records, kMaxPublished))) {
    message.records.push_back(TRY(read_published(published)));
  }
  return message;
}

std::string dump(const PublishAnswer& message) {
  Json results = Json::array();
  for (const PublishAnswer::One& one : message.results) {
    results.push_back({{"result", to_string(one.result)}, {"message", one.message}});
  }
  return canonical_dump({{"results", std::move(results)}});
}

Result<PublishAnswer> parse_publish_answer(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField results = TRY(JsonField(json, "").field("results"));
  PublishAnswer message;
  for (const JsonField& one : TRY(read_list(results, kMaxPublished))) {
    message.results.push_back(TRY(read_one(one)));
  }
  return message;
}

}  // namespace mybuild::cache_server

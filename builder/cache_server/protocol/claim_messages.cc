// SPDX-License-Identifier: Apache-2.0
// Who runs what: claims and waiting for them.
#include "builder/cache_server/protocol/wire.h"
#include "snapshotter/base/json.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view to_string(ClaimResult result) {
  switch (result) {
    case ClaimResult::Granted:
      return "granted";
    case ClaimResult::Held:
      return "held";
    case ClaimResult::Known:
      break;
  }
  return "known";
}

Result<ClaimResult> read_result(const JsonField& field) {
  const std::string text = TRY(field.string());
  for (const ClaimResult result : {ClaimResult::Granted, ClaimResult::Held, ClaimResult::Known}) {
    if (text == to_string(result)) {
      return result;
    }
  }
  return field.error("granted, held or known");
}

/// Ids are base64url, so they can stand in a log as they are.
Result<std::string> read_claim_id(const JsonField& field) {
  std::string id = TRY(field.string());
  const auto is_fit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  if (id.empty() || id.size() > kMaxClaimId || !std::all_of(id.begin(), id.end(), is_fit)) {
    return field.error("the id of a claim");
  }
  return id;
}

Result<milliseconds> read_time(const JsonField& field, milliseconds limit) {
  const std::uint64_t count = TRY(read_number(field, static_cast<std::uint64_t>(limit.count())));
  return milliseconds(static_cast<std::int64_t>(count));
}

Result<ClaimRequest::Step> read_step(const JsonField& field) {
  ClaimRequest::Step step;
  step.definition = TRY(read_key(TRY(field.field("definition"))));
  step.content = TRY(read_key(TRY(field.field("content"))));
  return step;
}

Result<ClaimAnswer::One> read_one(const JsonField& field) {
  ClaimAnswer::One one;
  one.result = TRY(read_result(TRY(field.field("result"))));
  if (one.result == ClaimResult::Granted) {
    one.claim = TRY(read_claim_id(TRY(field.field("claim"))));
  }
  one.time = TRY(read_time(TRY(field.field("time_ms")), kMaxClaimTime));
  one.owner = TRY(read_text(TRY(field.field("owner")), kMaxText));
  const JsonField record = TRY(field.field("record"));
  if (!record.absent()) {
    one.record = TRY(read_signed_record(record));
  }
  return one;
}

Json to_json(const ClaimAnswer::One& one) {
  Json json = {{"result", to_string(one.result)}, {"time_ms", one.time.count()}};
  if (one.result == ClaimResult::Granted) {
    json["claim"] = one.claim;
  }
  if (one.result == ClaimResult::Held) {
    json["owner"] = one.owner;
  }
  if (one.record) {
    json["record"] = cache_server::to_json(*one.record);
  }
  return json;
}

}  // namespace

std::string dump(const ClaimRequest& message) {
  Json steps = Json::array();
  for (const ClaimRequest::Step& step : message.steps) {
    steps.push_back({{"definition", step.definition.str()}, {"content", step.content.str()}});
  }
  return canonical_dump({{"owner", message.owner}, {"steps", std::move(steps)}});
}

Result<ClaimRequest> parse_claim_request(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField root(json, "");
  ClaimRequest message;
  message.owner = TRY(read_text(TRY(root.field("owner")), kMaxText));
  for (const JsonField& step : TRY(read_list(TRY(root.field("steps")), kMaxClaims))) {
    message.steps.push_back(TRY(read_step(step)));
  }
  return message;
}

std::string dump(const ClaimAnswer& message) {
  Json results = Json::array();
  for (const ClaimAnswer::One& one : message.results) {
    results.push_back(to_json(one));
  }
  return canonical_dump({{"results", std::move(results)}});
}

Result<ClaimAnswer> parse_claim_answer(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField results = TRY(JsonField(json, "").field("results"));
  ClaimAnswer message;
  for (const JsonField& one : TRY(read_list(results, kMaxClaims))) {
    message.results.push_back(TRY(read_one(one)));
  }
  return message;
}

std::string dump(const ClaimList& message) {
  return canonical_dump({{"claims", message.claims}});
}

Result<ClaimList> parse_claim_list(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField claims = TRY(JsonField(json, "").field("claims"));
  ClaimList message;
  for (const JsonField& claim : TRY(read_list(claims, kMaxClaims))) {
    message.claims.push_back(TRY(read_claim_id(claim)));
  }
  return message;
}

std::string dump(const WaitRequest& message) {
  return canonical_dump(
      {{"contents", to_json(message.contents)}, {"timeout_ms", message.timeout.count()}});
}

Result<WaitRequest> parse_wait_request(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField root(json, "");
  WaitRequest message;
  message.contents = TRY(read_digests(TRY(root.field("contents")), kMaxClaims));
  message.timeout = TRY(read_time(TRY(root.field("timeout_ms")), kMaxWait));
  return message;
}

std::string dump(const WaitAnswer& message) {
  Json records = Json::array();
  for (const SignedRecord& record : message.records) {
    records.push_back(cache_server::to_json(record));
  }
  return canonical_dump({{"over", to_json(message.over)}, {"records", std::move(records)}});
}

Result<WaitAnswer> parse_wait_answer(std::string_view text) {
  const Json json = TRY(parse_message(text));
  const JsonField root(json, "");
  WaitAnswer message;
  message.over = TRY(read_digests(TRY(root.field("over")), kMaxClaims));
  for (const JsonField& record : TRY(read_list(TRY(root.field("records")), kMaxClaims))) {
    message.records.push_back(TRY(read_signed_record(record)));
  }
  return message;
}

}  // namespace mybuild::cache_server

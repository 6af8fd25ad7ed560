// SPDX-License-Identifier: Apache-2.0
// What is known of steps: lookup, keys, publish, explain.
#include "builder/cache_server/protocol/messages.h"
#include "builder/cache_server/records/verbs.h"

#include <algorithm>

namespace mybuild::cache_server {

namespace {

LookupAnswer answer_without_records(const Ask& ask) {
  LookupAnswer answer{.space = ask.space(), .keys = {}, .records = {}};
  for (std::size_t i = 0; i < ask.lineage.spaces.size(); ++i) {
    answer.keys.emplace(ask.lineage.spaces[i], ask.lineage.keys[i].public_key());
  }
  return answer;
}

std::string_view word_for(PublishResult result) {
  switch (result) {
    case PublishResult::Accepted:
      return "result=\"accepted\"";
    case PublishResult::Known:
      return "result=\"known\"";
    case PublishResult::Different:
      return "result=\"different\"";
    case PublishResult::Refused:
      break;
  }
  return "result=\"refused\"";
}

/// Whoever waits for one of the steps finds it now.
void end_claims(const Ask& ask, const PublishRequest& request, const PublishAnswer& answer) {
  for (std::size_t i = 0; i < answer.results.size(); ++i) {
    ask.deps.metrics.add("mybuild_serve_records_published_total",
                         word_for(answer.results[i].result));
    if (answer.results[i].result != PublishResult::Refused) {
      ask.deps.claims.end(ask.space(), request.records[i].record.content);
    }
  }
}

}  // namespace

Result<Outcome> serve_lookup(const Ask& ask) {
  const LookupRequest request = TRY(parse_lookup_request(ask.body));
  LookupAnswer answer = answer_without_records(ask);
  answer.records =
      TRY(ask.tables().lookup(ask.lineage.spaces, request, ask.now, ask.now + kPromise));
  ask.deps.metrics.add("mybuild_serve_keys_asked_total", "",
                       static_cast<double>(request.definitions.size() + request.contents.size()));
  ask.deps.metrics.add("mybuild_serve_records_found_total", "",
                       static_cast<double>(answer.records.size()));
  return json_answer(200, dump(answer));
}

Result<Outcome> serve_keys(const Ask& ask) {
  return json_answer(200, dump(answer_without_records(ask)));
}

Result<Outcome> serve_publish(const Ask& ask) {
  if (!ask.deps.has_room()) {
    return error_answer(507, "UNAVAILABLE",
                        "the cache is full of what may not go yet: images, pins, and what was "
                        "looked up or uploaded lately");
  }
  const PublishRequest request = TRY(parse_publish_request(ask.body));
  const SigningKey& key = ask.lineage.keys.front();
  const Sign sign = [&](const std::string& body) {
    return key.sign(signed_text(ask.space(), body));
  };
  const PublishAnswer answer =
      TRY(ask.tables().publish(ask.lineage.spaces, request.records, sign, ask.now));
  end_claims(ask, request, answer);
  return json_answer(200, dump(answer));
}

Result<Outcome> serve_explain(const Ask& ask) {
  const ExplainRequest request = TRY(parse_explain_request(ask.body));
  const ExplainAnswer answer = TRY(ask.tables().nearest(ask.lineage.spaces, request));
  return json_answer(200, dump(answer));
}

}  // namespace mybuild::cache_server

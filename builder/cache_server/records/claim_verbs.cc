// SPDX-License-Identifier: Apache-2.0
// Who runs what: claim, heartbeat, release, wait.
#include "builder/cache_server/protocol/messages.h"
#include "builder/cache_server/records/verbs.h"

#include <algorithm>
#include <unordered_map>

namespace mybuild::cache_server {

namespace {

using std::chrono::steady_clock;

/// How often one looks whom the table had no room to wake.
constexpr std::chrono::seconds kUnwatched(1);

using RecordsByContent = std::unordered_map<Digest, SignedRecord>;

/// Of each step the first word about it, which is that of the farthest ancestor.
Result<RecordsByContent> known_records(RecordTables& tables, const std::vector<std::string>& spaces,
                                       const std::vector<Digest>& contents, Time now) {
  RecordsByContent known;
  const LookupRequest keys{.definitions = {}, .contents = contents};
  for (SignedRecord& record : TRY(tables.lookup(spaces, keys, now, now + kPromise))) {
    const StepRecord step = TRY(parse_step_record(record.body));
    known.emplace(step.content, std::move(record));
  }
  return known;
}

Result<ClaimAnswer::One> claim_one(const Ask& ask, const ClaimRequest& request,
                                   const ClaimRequest::Step& step) {
  const auto cost = TRY(ask.tables().cost(ask.lineage.spaces, step.definition));
  const ClaimTable::Decision decision = TRY(ask.deps.claims.claim({.space = ask.space(),
                                                                   .content = step.content,
                                                                   .cost = cost,
                                                                   .token = ask.caller.token_id,
                                                                   .owner = request.owner}));
  return ClaimAnswer::One{
      .result = decision.claim.empty() ? ClaimResult::Held : ClaimResult::Granted,
      .claim = decision.claim,
      .time = decision.time,
      .owner = decision.owner};
}

/// What somebody has published since he was asked for it, or between two claims.
Status fill_in_known(const Ask& ask, const ClaimRequest& request, ClaimAnswer& answer) {
  std::vector<Digest> contents;
  for (const ClaimRequest::Step& step : request.steps) {
    contents.push_back(step.content);
  }
  const RecordsByContent known =
      TRY(known_records(ask.tables(), ask.lineage.spaces, contents, ask.now));
  std::vector<std::string> needless;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const auto record = known.find(contents[i]);
    if (record == known.end()) {
      continue;
    }
    ClaimAnswer::One& one = answer.results[i];
    if (one.result == ClaimResult::Granted) {
      needless.push_back(one.claim);
    }
    one = {.result = ClaimResult::Known,
           .claim = "",
           .time = {},
           .owner = "",
           .record = record->second};
  }
  ask.deps.claims.release(ask.space(), ask.caller.token_id, needless);
  return {};
}

void count(const Ask& ask, const ClaimAnswer& answer) {
  for (const ClaimAnswer::One& one : answer.results) {
    ask.deps.metrics.add("mybuild_serve_claims_asked_total",
                         one.result == ClaimResult::Granted ? "result=\"granted\""
                         : one.result == ClaimResult::Held  ? "result=\"held\""
                                                            : "result=\"known\"");
  }
}

/// Waits until one of the steps is free.
class Waiting final : public PendingAnswer {
 public:
  Waiting(const Ask& ask, WaitRequest request)
      : claims_(ask.deps.claims),
        tables_(ask.tables()),
        clock_(ask.deps.clock),
        spaces_(ask.lineage.spaces),
        request_(std::move(request)),
        over_at_(claims_.now() + request_.timeout) {}

  std::optional<Answer> poll() override {
    WaitAnswer answer{.over = claims_.unclaimed(spaces_.front(), request_.contents), .records = {}};
    if (answer.over.empty() && !request_.contents.empty() && claims_.now() < over_at_) {
      return std::nullopt;
    }
    const Result<RecordsByContent> known =
        known_records(tables_, spaces_, answer.over, clock_.now());
    if (!known) {
      return error_answer(known.error());
    }
    for (const auto& [content, record] : *known) {
      answer.records.push_back(record);
    }
    return json_answer(200, dump(answer));
  }

  void subscribe(std::function<void()> wake) override {
    watch_ = claims_.watch(spaces_.front(), request_.contents, std::move(wake));
  }

  // A claim that nobody keeps up ends without a word.
  steady_clock::time_point deadline() const override {
    const auto next = watch_.is_on() ? claims_.next_expiry(spaces_.front(), request_.contents)
                                     : claims_.now() + kUnwatched;
    return std::min(over_at_, next.value_or(over_at_));
  }

 private:
  ClaimTable& claims_;
  RecordTables& tables_;
  const Clock& clock_;
  const std::vector<std::string> spaces_;
  const WaitRequest request_;
  const steady_clock::time_point over_at_;
  ClaimTable::Watch watch_;
};

}  // namespace

Result<Outcome> serve_claim(const Ask& ask) {
  const ClaimRequest request = TRY(parse_claim_request(ask.body));
  ClaimAnswer answer;
  for (const ClaimRequest::Step& step : request.steps) {
    answer.results.push_back(TRY(claim_one(ask, request, step)));
  }
  // After the claims: whoever publishes does that before his claim ends.
  TRY(fill_in_known(ask, request, answer));
  count(ask, answer);
  return json_answer(200, dump(answer));
}

Result<Outcome> serve_heartbeat(const Ask& ask) {
  const ClaimList request = TRY(parse_claim_list(ask.body));
  return json_answer(200, dump(ClaimList{.claims = ask.deps.claims.keep_up(
                                             ask.space(), ask.caller.token_id, request.claims)}));
}

Result<Outcome> serve_release(const Ask& ask) {
  const ClaimList request = TRY(parse_claim_list(ask.body));
  return json_answer(200, dump(ClaimList{.claims = ask.deps.claims.release(
                                             ask.space(), ask.caller.token_id, request.claims)}));
}

Result<Outcome> serve_wait(const Ask& ask) {
  WaitRequest request = TRY(parse_wait_request(ask.body));
  return Outcome(std::make_unique<Waiting>(ask, std::move(request)));
}

}  // namespace mybuild::cache_server

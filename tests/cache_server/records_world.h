// SPDX-License-Identifier: Apache-2.0
// A server's records without its sockets: RecordsApi on a database of its own, clocks that stand
// still, and people with tokens.
#pragma once

#include "builder/cache_server/records/records_api.h"
#include "builder/cache_server/store/local_blob_store.h"
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/cache_server/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace mybuild::cache_server {

class MovedClock final : public Clock {
 public:
  Time now() const override { return time; }
  Time time = at_second(1'800'000'000);
};

class RecordsWorld : public ::testing::Test {
 protected:
  RecordsWorld() {
    EXPECT_TRUE(make_space(*meta_, "main", ""));
    EXPECT_TRUE(make_space(*meta_, "pr", "main"));
    EXPECT_TRUE(make_space(*meta_, "other", ""));
  }

  /// Everything in a namespace, and reads its ancestors.
  static Caller member(const std::string& space) {
    Caller caller{
        .token_id = "token of " + space, .space = space, .scopes = 7, .readable = {space}};
    if (space == "pr") {
      caller.readable.push_back("main");
    }
    return caller;
  }
  static Caller everywhere() {
    return {.token_id = "root", .space = std::string(kEverywhere), .scopes = 7, .readable = {}};
  }
  static Caller only(Scope scope) {
    Caller caller = member("main");
    caller.scopes = static_cast<std::uint8_t>(scope);
    return caller;
  }

  Outcome send(const Caller& caller, const std::string& address, const std::string& body,
               const std::string& method = "POST") {
    Request request;
    request.method = method;
    request.path = "/cache/v1/" + address;
    request.body_size = body.size();
    request.caller = caller;
    const auto exchange = api_.begin(std::move(request));
    if (std::optional<Answer> refusal = exchange->refusal()) {
      return std::move(*refusal);
    }
    EXPECT_TRUE(exchange->write(as_bytes(body)));
    return exchange->finish();
  }
  Answer ask(const Caller& caller, const std::string& address, const std::string& body,
             const std::string& method = "POST") {
    Outcome outcome = send(caller, address, body, method);
    EXPECT_TRUE(std::holds_alternative<Answer>(outcome)) << address;
    return std::get<Answer>(std::move(outcome));
  }
  static std::string text_of(const Answer& answer) { return std::get<std::string>(answer.body); }

  void link(const std::string& space, const std::string& layer = "layer") {
    EXPECT_TRUE(
        meta_->repositories().link_blob(space, Digest::of("blob of " + layer), 10, clock_.time));
  }
  PublishResult publish(const Caller& caller, const StepRecord& record,
                        const std::string& space = "-") {
    const std::string body = dump(PublishRequest{.records = {{.record = record, .facts = {}}}});
    const Answer answer = ask(caller, "publish/" + space, body);
    EXPECT_EQ(answer.status, 200) << text_of(answer);
    return parse_publish_answer(text_of(answer))->results.at(0).result;
  }
  LookupAnswer lookup(const Caller& caller, const StepRecord& record,
                      const std::string& space = "-") {
    const Answer answer =
        ask(caller, "lookup/" + space,
            dump(LookupRequest{.definitions = {record.definition}, .contents = {record.content}}));
    EXPECT_EQ(answer.status, 200) << text_of(answer);
    return parse_lookup_answer(text_of(answer)).value();
  }
  ClaimAnswer::One claim(const Caller& caller, const StepRecord& record,
                         const std::string& space = "-") {
    const Answer answer =
        ask(caller, "claim/" + space,
            dump(ClaimRequest{
                .owner = caller.token_id,
                .steps = {{.definition = record.definition, .content = record.content}}}));
    EXPECT_EQ(answer.status, 200) << text_of(answer);
    return parse_claim_answer(text_of(answer))->results.at(0);
  }
  std::unique_ptr<PendingAnswer> wait(const Caller& caller, const StepRecord& record,
                                      std::chrono::milliseconds timeout) {
    Outcome outcome =
        send(caller, "wait/-", dump(WaitRequest{.contents = {record.content}, .timeout = timeout}));
    return std::get<std::unique_ptr<PendingAnswer>>(std::move(outcome));
  }

  const TempDir directory_ = TempDir::create().value();
  const std::unique_ptr<MetaStore> meta_ =
      open_sqlite_meta_store(directory_.path() + "/cache.db").value();
  MovedClock clock_;
  Metrics metrics_;
  ClaimTable::TimePoint now_{};
  ClaimTable claims_{[this] { return now_; }};
  bool has_room_ = true;
  const std::unique_ptr<BlobStore> blobs_ =
      open_local_blob_store(directory_.path() + "/content").value();
  BlobKeeper keeper_{*blobs_, *meta_};
  RecordsApi api_{{.meta = *meta_,
                   .keeper = keeper_,
                   .clock = clock_,
                   .metrics = metrics_,
                   .claims = claims_,
                   .has_room = [this] { return has_room_; }}};
};

}  // namespace mybuild::cache_server

// SPDX-License-Identifier: Apache-2.0
#include "tests/cache_client/fake_server.h"

#include "snapshotter/oci/media_type.h"

#include <algorithm>

namespace mybuild::cache_client {

using cache_server::ClaimResult;
using registry::Request;
using registry::Response;

Response response(int status, std::map<std::string, std::string> headers) {
  Response answer;
  answer.status = status;
  answer.headers = std::move(headers);
  return answer;
}

Result<Response> ok(registry::BodySink& body, const std::string& text) {
  Response answer = response(200);
  TRY(body.begin(answer));
  TRY(body.write(as_bytes(text)));
  return answer;
}

cache_server::StepRecord record_of(const std::string& name) {
  cache_server::StepRecord record;
  record.definition = Digest::of("step " + name);
  record.content = Digest::of("content " + name);
  record.output = Digest::of("output " + name);
  record.diff_id = Digest::of(name);
  record.changes = Digest::of("changes of " + name);
  record.size = name.size();
  record.blob.media_type = oci::kMediaTypeLayer;
  record.blob.digest = Digest::of(name);
  record.blob.size = name.size();
  record.created = Time(std::chrono::seconds(1'700'000'000));
  record.cost_ms = 1000;
  record.step = "RUN " + name;
  return record;
}

Result<Response> FakeServer::send(const Request& request, registry::BodySink& body,
                                  const Cancel& cancel) {
  TRY(cancel.check());
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  if (const Respond first = respond.get()) {
    if (auto given = first(request, body, cancel)) {
      return *std::move(given);
    }
  }
  const std::string wanted = "Authorization: Bearer " + token;
  if (!token.empty() &&
      std::find(request.headers.begin(), request.headers.end(), wanted) == request.headers.end()) {
    return response(401);
  }
  return answer(request, body);
}

Result<Response> FakeServer::answer(const Request& request, registry::BodySink& body) {
  constexpr std::string_view kRecords = "/cache/v1/";
  const std::size_t records_at = request.url.find(kRecords);
  if (records_at == std::string::npos) {
    return request.url.find("/blobs/uploads/") == std::string::npos ? blob(request, body)
                                                                    : upload(request);
  }
  const std::string rest = request.url.substr(records_at + kRecords.size());
  const std::string text = TRY(message(rest.substr(0, rest.find('/')), request.body));
  return ok(body, text);
}

Result<std::string> FakeServer::message(const std::string& verb, const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (verb == "lookup") {
    const auto request = TRY(cache_server::parse_lookup_request(text));
    return cache_server::dump(look_up(request));
  }
  if (verb == "blobs") {
    const auto request = TRY(cache_server::parse_blobs_request(text));
    cache_server::BlobsAnswer answer;
    for (const Digest& digest : request.blobs) {
      const auto blob = blobs.find(digest);
      answer.push_back(blob == blobs.end() ? std::nullopt
                                           : std::optional<std::string_view>(blob->second));
    }
    return cache_server::dump(answer);
  }
  if (verb == "publish") {
    cache_server::PublishAnswer answer;
    const auto request = TRY(cache_server::parse_publish_request(text));
    for (const auto& one : request.records) {
      const bool has_blob = blobs.contains(one.record.blob.digest);
      answer.results.push_back({.result = has_blob ? cache_server::PublishResult::Accepted
                                                   : cache_server::PublishResult::Refused,
                                .message = {}});
      published_.push_back(one.record);
      records.push_back(signed_record(one.record));
    }
    return cache_server::dump(answer);
  }
  if (verb == "claim") {
    const auto request = TRY(cache_server::parse_claim_request(text));
    return cache_server::dump(claim(request));
  }
  if (verb == "wait") {
    const auto request = TRY(cache_server::parse_wait_request(text));
    cache_server::WaitAnswer answer;
    for (const Digest& content : request.contents) {
      held.erase(content);
      answer.over.push_back(content);
    }
    answer.records = look_up({.definitions = {}, .contents = request.contents}).records;
    return cache_server::dump(answer);
  }
  const auto list = TRY(cache_server::parse_claim_list(text));
  if (verb == "release") {
    for (const std::string& id : list.claims) {
      claims.erase(id);
    }
  }
  return cache_server::dump(list);
}

cache_server::LookupAnswer FakeServer::look_up(const cache_server::LookupRequest& request) const {
  cache_server::LookupAnswer answer;
  answer.space = space;
  answer.keys[space] = key.public_key();
  for (const auto& record : records) {
    const auto parsed = cache_server::parse_step_record(record.body);
    const auto has = [](const std::vector<Digest>& keys, const Digest& digest) {
      return std::find(keys.begin(), keys.end(), digest) != keys.end();
    };
    if (!parsed || has(request.definitions, parsed->definition) ||
        has(request.contents, parsed->content)) {
      answer.records.push_back(record);
    }
  }
  return answer;
}

cache_server::ClaimAnswer FakeServer::claim(const cache_server::ClaimRequest& request) {
  cache_server::ClaimAnswer answer;
  for (const auto& step : request.steps) {
    cache_server::ClaimAnswer::One& one = answer.results.emplace_back();
    const auto known = look_up({.definitions = {}, .contents = {step.content}}).records;
    if (!known.empty()) {
      one.result = ClaimResult::Known;
      one.record = known.front();
    } else if (held.contains(step.content)) {
      one.result = ClaimResult::Held;
      one.owner = "another machine";
      one.time = held_time;
    } else {
      one.claim = "claim-" + step.content.hex().substr(0, 16);
      one.time = claim_life;
      claims.insert(one.claim);
    }
  }
  return answer;
}

Result<Response> FakeServer::blob(const Request& request, registry::BodySink& body) {
  const auto digest = Digest::parse(request.url.substr(request.url.rfind('/') + 1));
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    const auto found = digest ? blobs.find(*digest) : blobs.end();
    if (found == blobs.end()) {
      return response(404);
    }
    text = found->second;
  }
  return request.method == "HEAD" ? Result<Response>(response(200)) : ok(body, text);
}

Result<Response> FakeServer::upload(const Request& request) {
  if (request.method == "POST" && takes_at_once &&
      request.url.find("?digest=") != std::string::npos) {
    const std::lock_guard lock(mutex_);
    blobs[Digest::of(request.body)] = request.body;
    return response(201);
  }
  if (request.method == "POST") {
    return response(202, {{"location", "/v2/" + space + "/blobs/uploads/1"}});
  }
  const auto source = TRY(request.stream->open());
  const std::string bytes = TRY(read_all(*source, 1 << 20));
  const std::lock_guard lock(mutex_);
  blobs[Digest::of(bytes)] = bytes;
  return response(201, {{"docker-content-digest", Digest::of(bytes).str()}});
}

void FakeServer::add(const cache_server::StepRecord& record) {
  const std::lock_guard lock(mutex_);
  records.push_back(signed_record(record));
}

cache_server::SignedRecord FakeServer::signed_record(const cache_server::StepRecord& record) const {
  const std::string body = cache_server::dump(record);
  return {.space = space,
          .body = body,
          .signature = key.sign(cache_server::signed_text(space, body)).value()};
}

std::size_t FakeServer::asked(const std::string& word) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      requests_.begin(), requests_.end(),
      [&](const Request& request) { return request.url.find(word) != std::string::npos; }));
}

std::vector<Request> FakeServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<cache_server::StepRecord> FakeServer::published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

}  // namespace mybuild::cache_client

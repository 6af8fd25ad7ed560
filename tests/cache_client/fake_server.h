// SPDX-License-Identifier: Apache-2.0
// A cache server in memory, as a Transport: it speaks the protocol for one namespace with one key,
// remembers what it was asked, and lies where a test wants it to. Thread-safe.
#pragma once

#include "builder/cache_server/protocol/messages.h"
#include "builder/registry/transport.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mybuild::cache_client {

class FakeServer final : public registry::Transport {
 public:
  using Respond = std::function<std::optional<Result<registry::Response>>(
      const registry::Request&, registry::BodySink&, const Cancel&)>;
  /// May be set while requests come, as a client asks from the moment on that it is there.
  class Hook {
   public:
    Hook& operator=(Respond respond) {
      const std::lock_guard lock(mutex_);
      respond_ = std::move(respond);
      return *this;
    }
    Respond get() const {
      const std::lock_guard lock(mutex_);
      return respond_;
    }

   private:
    mutable std::mutex mutex_;
    Respond respond_;
  };

  Result<registry::Response> send(const registry::Request& request, registry::BodySink& body,
                                  const Cancel& cancel) override;

  /// A record that anybody may find, signed as it should be.
  void add(const cache_server::StepRecord& record);
  cache_server::SignedRecord signed_record(const cache_server::StepRecord& record) const;
  std::size_t asked(const std::string& word) const;  // requests whose URL has it
  std::vector<registry::Request> requests() const;
  std::vector<cache_server::StepRecord> published() const;

  const std::string space = "team/main";
  cache_server::SigningKey key = cache_server::SigningKey::generate().value();
  Hook respond;               // first; nullopt: as usual
  std::string token;          // what it wants to see; "": nothing
  bool takes_at_once = true;  // blobs in a single POST
  std::map<Digest, std::string> blobs;
  std::vector<cache_server::SignedRecord> records;
  std::set<Digest> held;         // contents that another machine runs
  std::set<std::string> claims;  // that are ours
  std::chrono::milliseconds claim_life{15'000};
  std::chrono::milliseconds held_time{30'000};  // how long to wait for what another machine runs

 private:
  Result<registry::Response> answer(const registry::Request& request, registry::BodySink& body);
  Result<std::string> message(const std::string& verb, const std::string& text);
  cache_server::LookupAnswer look_up(const cache_server::LookupRequest& request) const;
  cache_server::ClaimAnswer claim(const cache_server::ClaimRequest& request);
  Result<registry::Response> blob(const registry::Request& request, registry::BodySink& body);
  Result<registry::Response> upload(const registry::Request& request);

  mutable std::mutex mutex_;
  std::vector<registry::Request> requests_;
  std::vector<cache_server::StepRecord> published_;
};

registry::Response response(int status, std::map<std::string, std::string> headers = {});
/// Gives `text` to the sink.
Result<registry::Response> ok(registry::BodySink& body, const std::string& text);
/// A record of the step NAME: definition "step NAME", content "content NAME", layer NAME.
cache_server::StepRecord record_of(const std::string& name);

}  // namespace mybuild::cache_client

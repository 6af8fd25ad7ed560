// SPDX-License-Identifier: Apache-2.0
// Channel: requests to registries as every verb of the distribution-spec needs them: where a
// repository is, logins and tokens when a 401 asks for them, and the decision whether a failure is
// worth another attempt. Inside builder/registry. Thread-safe; Attempts is one transfer's.
#pragma once

#include "builder/registry/auth.h"
#include "builder/registry/hosts/host_table.h"
#include "builder/registry/transport.h"
#include "snapshotter/oci/reference.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::registry {

std::string pull_scope(const Endpoint& endpoint);
/// `other`: a repository of the same registry that is read from as well; may be empty.
std::string push_scope(const Endpoint& endpoint, const std::string& other = {});

/// A transfer that got so many bytes further may fail as often again.
constexpr std::uint64_t kWorthwhileProgress = 64 << 10;

class Channel {
 public:
  Channel(Transport& transport, RegistryAccess access);

  /// Where the repository may be asked, in order: mirrors, unless they were found dead, then the
  /// registry. At least one.
  Result<std::vector<Endpoint>> endpoints(const oci::Reference& reference, Purpose purpose,
                                          const Cancel& cancel);
  /// Another one is asked instead of this; a mirror that does not answer is not asked again.
  void note_failure(const Endpoint& endpoint, const Error& error);

  /// What a name may mean; see HostTable.
  Result<std::vector<oci::Reference>> full_names(const oci::Reference& reference) const {
    return hosts_.full_names(reference);
  }

  /// The same with the scheme that it turned out to speak, where that was a question.
  Result<Endpoint> settled(const Endpoint& endpoint, const Cancel& cancel);

  /// Sends with the authorization we have for `scope`; a 401 is answered once with a fresh one. A
  /// request that a registry sent elsewhere (another origin) gets none.
  Result<Response> send(Request request, const Endpoint& endpoint, const std::string& scope,
                        BodySink& body, const Cancel& cancel);
  TokenKeeper& tokens() { return tokens_; }
  /// Whether anything ever came from there: then it is down for a moment, and no typing error.
  bool is_alive(const std::string& origin) { return alive_.lock()->contains(origin); }

 private:
  Result<Response> send_one(Request request, const Endpoint& endpoint, BodySink& body,
                            const Cancel& cancel);
  Result<Response> authorized(const Request& request, const Endpoint& endpoint,
                              const std::string& scope, BodySink& body, const Cancel& cancel);
  Status try_tls(const Endpoint& endpoint, const Cancel& cancel);

  Transport& transport_;
  std::unique_ptr<HostTable> defaults_;  // when nobody gave a table
  const HostTable& hosts_;
  TokenKeeper tokens_;
  Guarded<std::set<std::string>> dead_mirrors_;          // origins
  Guarded<std::set<std::string>> alive_;                 // origins
  Guarded<std::map<std::string, std::string>> settled_;  // origins: where TLS was a question
};

/// Counts failures of one transfer and decides whether there is another attempt.
class Attempts {
 public:
  /// `patience`: how long to wait between attempts, all in all.
  Attempts(Channel& channel, const Endpoint& endpoint,
           std::chrono::seconds patience = std::chrono::seconds(45))
      : channel_(channel), endpoint_(endpoint), patience_(patience) {}
  /// Waits if what happened (no answer, or one that is not 2xx) may pass; else returns it as an
  /// error. `what` names the request.
  Status retry(const Result<Response>& response, std::string_view what, const Cancel& cancel);
  void start_over() {
    failures_ = 0;
    waited_ = {};
  }

 private:
  Status next(Error error, const Response* answer, const Cancel& cancel);
  Channel& channel_;
  const Endpoint& endpoint_;
  const std::chrono::seconds patience_;
  std::chrono::milliseconds waited_{};
  int failures_ = 0;
};

}  // namespace mybuild::registry

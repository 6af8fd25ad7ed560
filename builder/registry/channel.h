// SPDX-License-Identifier: Apache-2.0
// Channel: requests to registries as every verb of the distribution-spec needs them: URLs of a
// repository, anonymous tokens fetched when a 401 asks for one, and the decision whether a failure
// is worth another attempt. Inside builder/registry. Thread-safe; Attempts is one transfer's.
#pragma once

#include "builder/registry/auth.h"
#include "builder/registry/transport.h"
#include "snapshotter/oci/reference.h"

#include <string>
#include <string_view>

namespace mybuild::registry {

/// "https://registry-1.docker.io/v2/library/busybox"; loopback registries are spoken to over http.
std::string repository_url(const oci::Reference& reference);

std::string pull_scope(const oci::Reference& reference);
/// `other`: a repository of the same registry that is read from as well; may be empty.
std::string push_scope(const oci::Reference& reference, const std::string& other = {});

class Channel {
 public:
  explicit Channel(Transport& transport) : transport_(transport), tokens_(transport) {}

  /// Sends with the token we have for `scope`; a 401 is answered once with a fresh one. A request
  /// that a registry sent elsewhere (another origin) gets no token.
  Result<Response> send(Request request, const oci::Reference& reference, const std::string& scope,
                        BodySink& body, const Cancel& cancel);

 private:
  Transport& transport_;
  TokenKeeper tokens_;
};

/// Counts failures of one transfer and decides whether there is another attempt.
class Attempts {
 public:
  /// Waits if what happened (no answer, or one that is not 2xx) may pass; else returns it as an
  /// error. `what` names the request.
  Status retry(const Result<Response>& response, std::string_view what, const Cancel& cancel);
  void start_over() { failures_ = 0; }

 private:
  Status next(Error error, const Response* answer, const Cancel& cancel);
  int failures_ = 0;
};

}  // namespace mybuild::registry

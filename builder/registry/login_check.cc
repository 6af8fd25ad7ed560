// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/login_check.h"

#include "builder/registry/body.h"
#include "builder/registry/channel.h"
#include "builder/registry/errors.h"

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;

class OneCredential final : public CredentialSource {
 public:
  explicit OneCredential(const Credential& credential) : credential_(credential) {}
  Result<std::optional<Credential>> find(const std::string&, const std::string&,
                                         const Cancel&) override {
    return std::optional(credential_);
  }

 private:
  const Credential& credential_;
};

}  // namespace

Result<Credential> check_login(Transport& transport, const HostTable& hosts,
                               const std::string& registry, const Credential& credential,
                               const Cancel& cancel) {
  OneCredential source(credential);
  Channel channel(transport, {.hosts = &hosts, .credentials = &source, .offline_token = true});
  oci::Reference reference;
  reference.domain = registry;
  const auto places = TRY(channel.endpoints(reference, Purpose::Push, cancel));
  const Endpoint& endpoint = places.back();
  Request request;
  request.url = endpoint.origin + "/v2/";
  TextBody body(kMaxAnswer);
  const std::string what = "login to " + registry;
  Attempts attempts(channel, endpoint);
  for (;;) {
    const Result<Response> response = channel.send(request, endpoint, "", body, cancel);
    if (response && response->ok()) {
      break;
    }
    if (!response && response.error().kind() == ErrorKind::Denied) {
      return response.error();
    }
    if (response && response->status == 404) {
      return not_found("{} is no registry: it has nothing at {}", registry, request.url)
          .with_hint("is the address right?");
    }
    if (response && (response->status == 401 || response->status == 403)) {
      const std::string words = registry_message(*response);
      return make_error(ErrorKind::Denied, "login to {} as {} failed: {} (status {})", registry,
                        credential.username,
                        words.empty() ? "user name or password are not taken" : words,
                        response->status);
    }
    TRY(attempts.retry(response, what, cancel));
  }
  Credential kept = credential;
  if (std::string token = channel.tokens().identity_token(); !token.empty()) {
    kept.password.clear();
    kept.identity_token = std::move(token);
  }
  return kept;
}

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
// Authorizations: a registry answers 401 with a challenge. To Basic goes the login itself; for
// Bearer the realm named in it hands out a token (distribution "Token Authentication
// Specification"), anonymously or for the login. Both are kept per place and scope until they run
// out. A login goes to the registry it is for and to the realm that this names, over TLS.
// Thread-safe.
#pragma once

#include "builder/registry/challenge.h"
#include "builder/registry/credentials/credential.h"
#include "builder/registry/hosts/host_table.h"
#include "builder/registry/transport.h"
#include "snapshotter/base/guarded.h"

#include <chrono>
#include <map>
#include <mutex>
#include <string>

namespace mybuild::registry {

/// The files of this machine that say how registries are reached. Null: nothing but defaults.
struct RegistryAccess {
  const HostTable* hosts = nullptr;
  CredentialSource* credentials = nullptr;
  bool offline_token = false;  // ask the realm for an identity token, too: somebody logs in
};

class TokenKeeper {
 public:
  TokenKeeper(Transport& transport, RegistryAccess access)
      : transport_(transport), access_(access) {}

  /// The value of an Authorization header that is still good; "" when there is none.
  std::string find(const Endpoint& endpoint, const std::string& scope);
  /// Answers the challenge in `unauthorized`, which is what `sent` (maybe "") was answered with,
  /// and keeps what to send from then on. Denied when there is no login and the registry wants one,
  /// when it does not take ours, or when it names a realm that a token must not be fetched from.
  Result<std::string> answer(const Endpoint& endpoint, const std::string& scope,
                             const Response& unauthorized, const std::string& sent,
                             const Cancel& cancel);
  /// The identity token that a realm gave for the login, if one did.
  std::string identity_token();
  /// What a 401 or 403 that stays means to somebody who has to do something about it.
  Error explain(Error error, const Endpoint& endpoint, int status);

 private:
  struct Kept {
    std::string value;
    std::chrono::steady_clock::time_point expires;
  };
  struct Login {
    std::optional<Credential> credential;
    std::string problem;  // why there is none, if somebody should know
  };
  void forget(const Endpoint& endpoint, const std::string& scope, const std::string& value);
  std::mutex& turn(const std::string& key);
  Login login_of(const Endpoint& endpoint, const Cancel& cancel);
  Result<std::string> basic(const Endpoint& endpoint, const std::string& scope,
                            const Cancel& cancel);
  Result<Kept> bearer(const Endpoint& endpoint, const std::string& scope,
                      const Challenge& challenge, const Cancel& cancel);
  Status check_realm(const std::string& realm, const Endpoint& endpoint) const;
  Result<std::shared_ptr<const TlsSettings>> tls_of(const std::string& url,
                                                    const Endpoint& endpoint) const;

  Transport& transport_;
  const RegistryAccess access_;
  Guarded<std::map<std::string, Kept>> kept_;
  Guarded<std::map<std::string, std::string>> users_;  // who we are at an origin; "": nobody
  Guarded<std::map<std::string, std::string>> problems_;
  Guarded<std::map<std::string, std::mutex>> turns_;
  Guarded<std::string> identity_token_;
};

}  // namespace mybuild::registry

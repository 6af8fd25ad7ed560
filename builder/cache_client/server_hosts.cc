// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/server_hosts.h"

namespace mybuild::cache_client {

namespace {

class ServerHosts final : public registry::HostTable {
 public:
  ServerHosts(const ServerAddress& address, const registry::HostTable& user)
      : address_(address), user_(user) {}

  Result<std::vector<registry::Endpoint>> endpoints(const oci::Reference& reference,
                                                    registry::Purpose) const override {
    registry::Endpoint endpoint;
    endpoint.registry = address_.host;
    endpoint.origin = address_.origin;
    endpoint.repository = reference.repository;
    endpoint.tls = TRY(user_.tls_for(address_.origin));
    return std::vector{endpoint};
  }
  Result<std::vector<oci::Reference>> full_names(const oci::Reference& reference) const override {
    return std::vector{reference};
  }
  Result<std::shared_ptr<const registry::TlsSettings>> tls_for(
      const std::string& origin) const override {
    return user_.tls_for(origin);
  }
  bool is_insecure(const std::string& origin) const override { return user_.is_insecure(origin); }

 private:
  const ServerAddress address_;
  const registry::HostTable& user_;
};

}  // namespace

std::unique_ptr<registry::HostTable> make_server_hosts(const ServerAddress& address,
                                                       const registry::HostTable& user) {
  return std::make_unique<ServerHosts>(address, user);
}

}  // namespace mybuild::cache_client

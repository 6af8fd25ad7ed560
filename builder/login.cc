// SPDX-License-Identifier: Apache-2.0
#include "builder/login.h"

#include "builder/registry/credentials/auth_file.h"
#include "builder/registry/credentials/store.h"
#include "builder/registry/hosts/host_table.h"
#include "builder/registry/login_check.h"
#include "snapshotter/oci/reference.h"

namespace mybuild::builder {

namespace {

using registry::Credential;
using registry::CredentialPlaces;

Result<Credential> check(const LoginRequest& request, const Credential& credential,
                         const Cancel& cancel) {
  const auto transport = registry::make_lazy_curl_transport();
  const auto hosts = registry::make_host_table(
      registry::HostPlaces::from_environment(request.insecure_registries));
  return registry::check_login(*transport, *hosts, request.registry, credential, cancel);
}

Result<std::optional<Credential>> stored(const std::string& name, const Cancel& cancel) {
  const auto store = registry::make_credential_store(CredentialPlaces::from_environment());
  return store->find(name, "", cancel);
}

}  // namespace

Result<std::string> registry_of(const std::string& argument) {
  std::string name = registry::registry_of_key(argument);
  const Result<oci::Reference> reference = oci::Reference::parse(name + "/x");
  // "name/x" is a repository of Docker Hub; a registry has a dot, a colon, or is localhost.
  if (!reference || reference->domain != name) {
    return invalid_argument("\"{}\" is not a registry host", argument)
        .with_hint("a registry is a host, with a port if need be: registry.example:5000");
  }
  return name;
}

Result<LoginReport> login(const LoginRequest& request, const Cancel& cancel) {
  Credential credential;
  credential.username = request.username;
  credential.password = request.password;
  credential = TRY(check(request, credential, cancel));
  const registry::StoredLogin where = TRY(registry::store_login(
      CredentialPlaces::from_environment(), request.registry, credential, cancel));
  LoginReport report;
  report.unencrypted = where.path;
  return report;
}

Result<std::optional<std::string>> login_again(const LoginRequest& request, const Cancel& cancel) {
  const std::optional<Credential> known = TRY(stored(request.registry, cancel));
  if (!known) {
    return std::optional<std::string>();
  }
  const Result<Credential> taken = check(request, *known, cancel);
  if (!taken && taken.error().kind() != ErrorKind::Denied) {
    return taken.error();
  }
  return taken ? std::optional(known->username) : std::nullopt;
}

std::optional<std::string> stored_user(const std::string& registry, const Cancel& cancel) {
  const auto known = stored(registry, cancel);
  return known && *known ? std::optional((*known)->username) : std::nullopt;
}

Result<bool> logout(const std::string& registry, const Cancel& cancel) {
  return registry::erase_login(CredentialPlaces::from_environment(), registry, cancel);
}

}  // namespace mybuild::builder

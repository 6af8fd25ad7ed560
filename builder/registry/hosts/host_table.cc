// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/hosts/host_table.h"

#include "builder/registry/hosts/certificates.h"
#include "builder/registry/hosts/registries_conf.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>

namespace mybuild::registry {

namespace {

using TlsPtr = std::shared_ptr<const TlsSettings>;

constexpr std::size_t kMaxFile = 4 << 20;
constexpr std::string_view kHttps = "https://";

/// What podman's package says of hundreds of names (000-shortnames.conf in Fedora): nobody here
/// decided it, and a Dockerfile means docker.io by them.
constexpr std::string_view kPackagedAliases = "shortnames.conf";

std::string api_host(const std::string& domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

std::string host_of(const std::string& origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string::npos ? origin : origin.substr(scheme + 3);
}

bool is_missing(const Error& error) {
  return error.os_errno() == ENOENT || error.os_errno() == ENOTDIR;
}

/// False when there is no such file.
Result<bool> add_file(const std::string& path, RegistriesConf& conf) {
  const Result<std::string> text = read_regular_file(AT_FDCWD, path, kMaxFile);
  if (!text) {
    return is_missing(text.error()) ? Result<bool>(false) : Result<bool>(text.error());
  }
  conf.add(TRY(parse_registries_conf(*text, path)));
  return true;
}

Status add_folder(const std::string& folder, RegistriesConf& conf) {
  const Result<Fd> open = sys::open(folder, O_RDONLY | O_DIRECTORY);
  if (!open) {
    return is_missing(open.error()) ? Status() : Status(open.error());
  }
  for (const std::string& name : TRY(sys::list_dir(open->get()))) {
    if (name.ends_with(".conf") && !name.ends_with(kPackagedAliases)) {
      TRY(add_file(join_path(folder, name), conf));
    }
  }
  return {};
}

Result<RegistriesConf> read_conf(const HostPlaces& places) {
  RegistriesConf conf;
  for (const std::string& path : places.confs) {
    if (TRY(add_file(path, conf))) {
      break;
    }
  }
  for (const std::string& folder : places.conf_folders) {
    TRY(add_folder(folder, conf));
  }
  return conf;
}

bool serves(const MirrorRule& mirror, Purpose purpose) {
  switch (purpose) {
    case Purpose::PullByTag:
      return mirror.what != MirrorRule::For::Digests;
    case Purpose::PullByDigest:
      return mirror.what != MirrorRule::For::Tags;
    case Purpose::Blob:
      return true;
    case Purpose::Push:
      return false;
  }
  return false;
}

class Table final : public HostTable {
 public:
  explicit Table(HostPlaces places) : places_(std::move(places)) {}

  Result<std::vector<Endpoint>> endpoints(const oci::Reference& reference,
                                          Purpose purpose) const override;
  Result<std::vector<oci::Reference>> full_names(const oci::Reference& reference) const override;
  Result<TlsPtr> tls_for(const std::string& origin) const override {
    const std::string host = host_of(origin);
    return settings_of(host, listed(host));
  }
  bool is_insecure(const std::string& origin) const override { return listed(host_of(origin)); }

 private:
  bool listed(const std::string& host) const {
    return std::find(places_.insecure.begin(), places_.insecure.end(), host) !=
           places_.insecure.end();
  }
  Result<const RegistriesConf*> conf() const;
  Result<Endpoint> endpoint(const std::string& name, bool insecure) const;
  Result<TlsPtr> settings_of(const std::string& host, bool insecure) const;

  const HostPlaces places_;
  mutable std::once_flag read_;
  mutable std::optional<Result<RegistriesConf>> conf_;
  mutable Guarded<std::map<std::string, TlsPtr>> settings_;
};

Result<const RegistriesConf*> Table::conf() const {
  std::call_once(read_, [this] { conf_.emplace(read_conf(places_)); });
  if (!*conf_) {
    return Error(conf_->error()).context("read what is known of registries");
  }
  return &**conf_;
}

/// Null: nothing special.
Result<TlsPtr> Table::settings_of(const std::string& host, bool insecure) const {
  const std::string key = host + (insecure ? " insecure" : "");
  {
    const auto known = settings_.lock();
    if (const auto found = known->find(key); found != known->end()) {
      return found->second;
    }
  }
  std::optional<TlsSettings> settings = TRY(read_certificates(places_.certificates, host));
  if (insecure) {
    settings = settings.value_or(TlsSettings());
    settings->verify = false;
  }
  TlsPtr shared = settings ? std::make_shared<const TlsSettings>(*settings) : nullptr;
  settings_.lock()->emplace(key, shared);
  return shared;
}

/// `name`: "host/repository".
Result<Endpoint> Table::endpoint(const std::string& name, bool insecure) const {
  const std::size_t slash = std::min(name.find('/'), name.size());
  Endpoint endpoint;
  endpoint.registry = name.substr(0, slash);
  endpoint.repository = name.substr(std::min(slash + 1, name.size()));
  const std::string host = api_host(endpoint.registry);
  endpoint.insecure = insecure || listed(endpoint.registry) || listed(host);
  endpoint.tls = TRY(settings_of(host, endpoint.insecure));
  const bool plain = oci::is_loopback(host) && endpoint.tls == nullptr;
  endpoint.origin = (plain ? "http://" : std::string(kHttps)) + host;
  return endpoint;
}

Result<std::vector<Endpoint>> Table::endpoints(const oci::Reference& reference,
                                               Purpose purpose) const {
  const std::string name = reference.domain + "/" + reference.repository;
  const RegistriesConf* const rules = TRY(conf());
  const RegistryRule* const rule = rules->find(name);
  std::vector<Endpoint> list;
  if (rule == nullptr) {
    list.push_back(TRY(endpoint(name, false)));
    return list;
  }
  if (rule->blocked) {
    return make_error(ErrorKind::Denied, "{} is blocked: {} says so of {}", reference.familiar(),
                      rule->file, rule->prefix);
  }
  for (const MirrorRule& mirror : rule->mirrors) {
    if (serves(mirror, purpose)) {
      list.push_back(TRY(endpoint(rewritten(name, *rule, mirror.location), mirror.insecure)));
      list.back().mirror = true;
    }
  }
  list.push_back(TRY(endpoint(rewritten(name, *rule, rule->location), rule->insecure)));
  return list;
}

Result<std::vector<oci::Reference>> Table::full_names(const oci::Reference& reference) const {
  if (!reference.implied_domain) {
    return std::vector{reference};
  }
  const RegistriesConf* const rules = TRY(conf());
  oci::Reference bare = reference;  // as it was written
  bare.tag.clear();
  bare.digest.reset();
  const std::string name = bare.familiar();
  std::vector<std::string> targets;
  const bool with_aliases = rules->short_names != RegistriesConf::ShortNames::Disabled;
  if (const auto alias = rules->aliases.find(name); with_aliases && alias != rules->aliases.end()) {
    targets.push_back(alias->second);
  } else {
    for (const std::string& host : rules->search) {
      targets.push_back(host + "/" + name);
    }
  }
  if (targets.size() > 1 && rules->short_names == RegistriesConf::ShortNames::Enforcing) {
    return invalid_argument(
               "{} may be in several registries, and registries.conf says that "
               "somebody has to choose",
               name)
        .with_hint("write the registry into the name, such as " + targets.front());
  }
  std::vector<oci::Reference> names;
  for (const std::string& target : targets) {
    oci::Reference full = TRY(oci::Reference::parse(target).context("registries.conf"));
    full.tag = reference.tag;
    full.digest = reference.digest;
    full.implied_domain = false;
    names.push_back(std::move(full));
  }
  return names.empty() ? std::vector{reference} : names;
}

}  // namespace

std::unique_ptr<HostTable> make_host_table(HostPlaces places) {
  return std::make_unique<Table>(std::move(places));
}

}  // namespace mybuild::registry

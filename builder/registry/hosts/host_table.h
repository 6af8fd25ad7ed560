// SPDX-License-Identifier: Apache-2.0
// HostTable: where the repository of an image name is, and how its hosts are spoken to, from files
// of this machine that are read when somebody first asks. Thread-safe.
#pragma once

#include "builder/registry/hosts/endpoint.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/reference.h"

#include <memory>
#include <string>
#include <vector>

namespace mybuild::registry {

/// Where the files are. Default: none.
struct HostPlaces {
  std::vector<std::string> insecure;      // "host[:port]", as given by the user
  std::vector<std::string> certificates;  // folders with one for each host
  std::vector<std::string> confs;         // registries.conf: the first that is there
  std::vector<std::string> conf_folders;  // *.conf in them add to it, in this order

  /// As docker and podman find them, with these insecure ones and $MYBUILD_INSECURE_REGISTRIES.
  static HostPlaces from_environment(std::vector<std::string> insecure = {});
};

class HostTable {
 public:
  virtual ~HostTable() = default;
  /// In the order to try them; at least one. Denied when a file blocks the registry.
  virtual Result<std::vector<Endpoint>> endpoints(const oci::Reference& reference,
                                                  Purpose purpose) const = 0;
  /// What a name that was written without a registry may mean, in order: itself (Docker Hub's)
  /// unless a file says otherwise.
  virtual Result<std::vector<oci::Reference>> full_names(const oci::Reference& reference) const = 0;
  /// How a host that is not a registry ("https://host:port": a token server, where a redirect
  /// leads) is spoken to; null: nothing special.
  virtual Result<std::shared_ptr<const TlsSettings>> tls_for(const std::string& origin) const = 0;
  /// Whether the user allows plain http and unchecked certificates there.
  virtual bool is_insecure(const std::string& origin) const = 0;
};

std::unique_ptr<HostTable> make_host_table(HostPlaces places);

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/hosts/host_table.h"
#include "snapshotter/base/file.h"

#include <cstdlib>

namespace mybuild::registry {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// What a user has of their own; empty: none.
std::string config_folder() {
  const std::string xdg = variable("XDG_CONFIG_HOME");
  const std::string home = variable("HOME");
  if (!xdg.empty() || home.empty()) {
    return xdg;
  }
  return join_path(home, ".config");
}

void add_words(const std::string& text, std::vector<std::string>& list) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    if (end > start) {
      list.push_back(text.substr(start, end - start));
    }
    start = end + 1;
  }
}

}  // namespace

HostPlaces HostPlaces::from_environment(std::vector<std::string> insecure) {
  const std::string config = config_folder();
  const std::string chosen = variable("CONTAINERS_REGISTRIES_CONF");
  HostPlaces places;
  places.insecure = std::move(insecure);
  add_words(variable("MYBUILD_INSECURE_REGISTRIES"), places.insecure);
  if (!config.empty()) {
    places.certificates.push_back(join_path(config, "containers/certs.d"));
    places.confs.push_back(join_path(config, "containers/registries.conf"));
  }
  places.certificates.emplace_back("/etc/containers/certs.d");
  places.certificates.emplace_back("/etc/docker/certs.d");
  places.confs.emplace_back("/etc/containers/registries.conf");
  places.conf_folders.emplace_back("/etc/containers/registries.conf.d");
  if (!config.empty()) {
    places.conf_folders.push_back(join_path(config, "containers/registries.conf.d"));
  }
  if (!chosen.empty()) {
    places.confs = {chosen};
  }
  return places;
}

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/credentials/store.h"

#include "builder/registry/credentials/auth_file.h"
#include "builder/registry/credentials/helper.h"
#include "snapshotter/base/file.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <mutex>

namespace mybuild::registry {

namespace {

using Found = std::optional<Credential>;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::string home() {
  if (std::string given = variable("HOME"); !given.empty()) {
    return given;
  }
  passwd entry{};
  passwd* found = nullptr;
  std::string buffer(16384, '\0');
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? "/" : std::string(found->pw_dir);
}

class Store final : public CredentialSource {
 public:
  explicit Store(CredentialPlaces places) : places_(std::move(places)) {}

  Result<Found> find(const std::string& registry, const std::string& repository,
                     const Cancel& cancel) override {
    const std::lock_guard lock(mutex_);
    TRY(read());
    for (const AuthFile& file : files_) {
      Found found = TRY(find_in(file, registry, repository, cancel));
      if (found) {
        return found;
      }
    }
    return Found();
  }

 private:
  Status read() {
    if (read_) {
      return {};
    }
    std::vector<AuthFile> files;
    if (!places_.given.empty()) {
      files.push_back(TRY(parse_auth_file(places_.given, "$DOCKER_AUTH_CONFIG")));
    }
    std::vector<std::string> paths = {places_.docker};
    paths.insert(paths.end(), places_.containers.begin(), places_.containers.end());
    for (const std::string& path : paths) {
      if (auto file = TRY(read_auth_file(path))) {
        files.push_back(*std::move(file));
      }
    }
    files_ = std::move(files);
    read_ = true;
    return {};
  }

  Result<Found> find_in(const AuthFile& file, const std::string& registry,
                        const std::string& repository, const Cancel& cancel) {
    const std::string helper = file.helper_for(registry);
    if (helper.empty()) {
      return file.find(registry, repository);
    }
    const std::string key = helper + " " + registry;
    if (const auto known = answers_.find(key); known != answers_.end()) {
      return known->second;
    }
    Found found = TRY(helper_get(helper, server_key(registry), cancel).context(file.path));
    answers_.emplace(key, found);
    return found;
  }

  const CredentialPlaces places_;
  std::mutex mutex_;
  bool read_ = false;
  std::vector<AuthFile> files_;
  std::map<std::string, Found> answers_;  // of helpers
};

}  // namespace

CredentialPlaces CredentialPlaces::from_environment() {
  const std::string config = variable("DOCKER_CONFIG");
  const std::string runtime = variable("XDG_RUNTIME_DIR");
  const std::string chosen = variable("REGISTRY_AUTH_FILE");
  CredentialPlaces places;
  places.given = variable("DOCKER_AUTH_CONFIG");
  places.docker = join_path(config.empty() ? join_path(home(), ".docker") : config, "config.json");
  if (!chosen.empty()) {
    places.containers = {chosen};
    return places;
  }
  if (!runtime.empty()) {
    places.containers.push_back(join_path(runtime, "containers/auth.json"));
  } else {
    places.containers.push_back(fmt::format("/run/containers/{}/auth.json", ::geteuid()));
  }
  const std::string xdg = variable("XDG_CONFIG_HOME");
  places.containers.push_back(
      join_path(xdg.empty() ? join_path(home(), ".config") : xdg, "containers/auth.json"));
  return places;
}

std::unique_ptr<CredentialSource> make_credential_store(CredentialPlaces places) {
  return std::make_unique<Store>(std::move(places));
}

}  // namespace mybuild::registry

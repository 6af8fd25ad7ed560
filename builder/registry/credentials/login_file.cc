// SPDX-License-Identifier: Apache-2.0
// Changes to docker's config.json. All that is not ours stays as it was, in its order.
#include "builder/registry/credentials/auth_file.h"
#include "builder/registry/credentials/helper.h"
#include "builder/registry/credentials/store.h"
#include "snapshotter/base/base64.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "snapshotter/base/sys.h"

#include <cstdlib>
#include <memory>

namespace mybuild::registry {

namespace {

using Document = nlohmann::ordered_json;

/// The file may be a link to where it really is; its place gets the new one.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? path : std::string(real.get());
}

/// docker's config.json as it is now, once more with its fields in their order.
class ConfigFile {
 public:
  static Result<ConfigFile> read(const std::string& path) {
    ConfigFile file(real_path(path));
    if (std::optional<AuthFile> known = TRY(read_auth_file(file.path_))) {
      file.known_ = *std::move(known);
      file.document_ = Document::parse(TRY(read_file(file.path_)), nullptr, false);
    }
    if (!file.document_.is_object()) {
      file.document_ = Document::object();
    }
    return file;
  }

  const AuthFile& known() const { return known_; }
  Document& auths() {
    Document& auths = document_["auths"];
    if (!auths.is_object()) {
      auths = Document::object();
    }
    return auths;
  }

  Status write() && {
    TRY(make_dirs(path_.substr(0, path_.rfind('/')), 0700));
    AtomicFile file = TRY(AtomicFile::create(path_, 0600));
    const std::string text = document_.dump(1, '\t', false, Document::error_handler_t::replace);
    TRY(file.write(as_bytes(text + "\n")));
    return std::move(file).commit();
  }

 private:
  explicit ConfigFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
  AuthFile known_;
  Document document_;
};

Document entry_of(const Credential& credential) {
  Document entry = Document::object();
  entry["auth"] = base64_encode(credential.username + ":" + credential.password);
  if (!credential.identity_token.empty()) {
    entry["auth"] = base64_encode(credential.username + ":");
    entry["identitytoken"] = credential.identity_token;
  }
  return entry;
}

/// Two logins at once must not lose one of them.
Result<FileLock> lock(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  TRY(make_dirs(folder, 0700));
  return FileLock::acquire(join_path(folder, ".mybuild.lock"), FileLock::Mode::Exclusive);
}

/// Keys of this registry, however they were written.
std::vector<std::string> keys_of(const AuthFile& file, const std::string& registry) {
  std::vector<std::string> keys;
  for (const auto& [key, credential] : file.auths) {
    const bool part = key.find("://") == std::string::npos && key.find('/') != std::string::npos;
    if (key == registry || (!part && registry_of_key(key) == registry)) {
      keys.push_back(key);
    }
  }
  return keys;
}

}  // namespace

Result<StoredLogin> store_login(const CredentialPlaces& places, const std::string& registry,
                                const Credential& credential, const Cancel& cancel) {
  const std::string what = "store the login to " + registry;
  const FileLock held = TRY(lock(places.docker).context(what));
  ConfigFile file = TRY(ConfigFile::read(places.docker).context(what));
  StoredLogin stored;
  stored.helper = file.known().helper_for(registry);
  if (stored.helper.empty()) {
    stored.path = places.docker;
    file.auths()[server_key(registry)] = entry_of(credential);
  } else {
    TRY(helper_store(stored.helper, server_key(registry), credential, cancel).context(what));
    file.auths()[server_key(registry)] = Document::object();  // as docker: that there is one
  }
  TRY(std::move(file).write().context(what));
  return stored;
}

Result<bool> erase_login(const CredentialPlaces& places, const std::string& registry,
                         const Cancel& cancel) {
  const std::string what = "remove the login to " + registry;
  if (!sys::exists_at(AT_FDCWD, places.docker)) {
    return false;
  }
  const FileLock held = TRY(lock(places.docker).context(what));
  ConfigFile file = TRY(ConfigFile::read(places.docker).context(what));
  const std::string helper = file.known().helper_for(registry);
  if (!helper.empty()) {
    TRY(helper_erase(helper, server_key(registry), cancel).context(what));
  }
  const std::vector<std::string> keys = keys_of(file.known(), registry);
  if (keys.empty()) {
    return !helper.empty();
  }
  for (const std::string& key : keys) {
    file.auths().erase(key);
  }
  TRY(std::move(file).write().context(what));
  return true;
}

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/credentials/auth_file.h"

#include "snapshotter/base/base64.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "snapshotter/base/sys.h"

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxFile = 4 << 20;
constexpr char kHubKey[] = "https://index.docker.io/v1/";
constexpr char kHub[] = "docker.io";

/// "user:password", once base64 has been taken off; docker pads it with zero bytes.
Status read_pair(const std::string& text, Credential& credential, const JsonField& field) {
  std::optional<std::string> pair = base64_decode(text);
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return field.error("base64 of USER:PASSWORD");
  }
  credential.username = pair->substr(0, colon);
  credential.password = pair->substr(colon + 1);
  const std::size_t end = credential.password.find_last_not_of('\0');
  credential.password.resize(end == std::string::npos ? 0 : end + 1);
  return {};
}

Result<Credential> read_entry(const JsonField& entry) {
  Credential credential;
  const JsonField pair = TRY(entry.field("auth"));
  if (const std::string text = TRY(pair.string_or("")); !text.empty()) {
    TRY(read_pair(text, credential, pair));
  } else {
    credential.username = TRY(TRY(entry.field("username")).string_or(""));
    credential.password = TRY(TRY(entry.field("password")).string_or(""));
  }
  credential.identity_token = TRY(TRY(entry.field("identitytoken")).string_or(""));
  return credential;
}

bool is_empty(const Credential& credential) {
  return credential.username.empty() && credential.identity_token.empty();
}

/// A key with a path is one of containers' ("host/team"), unless it is a URL.
bool names_registry(const std::string& key, const std::string& registry) {
  const bool part = key.find('/') != std::string::npos && key.find("://") == std::string::npos &&
                    !key.ends_with("/v1/") && !key.ends_with("/v2/");
  return !part && registry_of_key(key) == registry;
}

}  // namespace

std::string server_key(const std::string& registry) {
  return registry == kHub ? kHubKey : registry;
}

std::string registry_of_key(std::string_view key) {
  if (const std::size_t scheme = key.find("://"); scheme != std::string_view::npos) {
    key.remove_prefix(scheme + 3);
  }
  const std::string_view host = key.substr(0, key.find('/'));
  const bool hub = host == "index.docker.io" || host == "registry-1.docker.io" ||
                   host == "registry.hub.docker.com";
  return std::string(hub ? kHub : host);
}

std::optional<Credential> AuthFile::find(const std::string& registry,
                                         const std::string& repository) const {
  std::string scope = repository.empty() ? registry : registry + "/" + repository;
  for (;;) {
    if (const auto found = auths.find(scope); found != auths.end()) {
      return is_empty(found->second) ? std::nullopt : std::optional(found->second);
    }
    const std::size_t slash = scope.rfind('/');
    if (slash == std::string::npos) {
      break;
    }
    scope.resize(slash);
  }
  for (const auto& [key, credential] : auths) {
    if (names_registry(key, registry) && !is_empty(credential)) {
      return credential;
    }
  }
  return std::nullopt;
}

std::string AuthFile::helper_for(const std::string& registry) const {
  for (const auto& [key, helper] : helpers) {
    if (names_registry(key, registry)) {
      return helper;
    }
  }
  return store;
}

Result<AuthFile> parse_auth_file(std::string_view text, const std::string& path) {
  const Json json = TRY(parse_json(text).context(path));
  const JsonField root(json, path);
  AuthFile file;
  file.path = path;
  const auto entries = TRY(TRY(root.field("auths")).members());
  for (const auto& [key, entry] : entries) {
    file.auths[key] = TRY(read_entry(entry));
  }
  file.helpers = TRY(TRY(root.field("credHelpers")).string_map());
  file.store = TRY(TRY(root.field("credsStore")).string_or(""));
  return file;
}

Result<std::optional<AuthFile>> read_auth_file(const std::string& path) {
  const Result<std::string> text = read_regular_file(AT_FDCWD, path, kMaxFile);
  if (!text && (text.error().os_errno() == ENOENT || text.error().os_errno() == ENOTDIR)) {
    return std::optional<AuthFile>();
  }
  if (!text) {
    return Error(text.error()).context("read the logins to registries");
  }
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return std::optional<AuthFile>();
  }
  AuthFile file = TRY(parse_auth_file(*text, path));
  return std::optional(std::move(file));
}

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
// config.json and auth.json with their logins: as the whole file, as what stands under "auth", and
// as a password that somebody chose.
#include "builder/registry/credentials/auth_file.h"

#include "snapshotter/base/base64.h"
#include "snapshotter/base/json.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

namespace {

using registry::Credential;
using registry::parse_auth_file;

constexpr char kPath[] = "config.json";

bool is_login(const Credential& credential) {
  return !credential.username.empty() || !credential.identity_token.empty();
}

void check_file(std::string_view text) {
  const auto file = parse_auth_file(text, kPath);
  if (!file) {
    require(file.error().message().starts_with(kPath), "an error names the file");
    return;
  }
  for (const auto& [key, credential] : file->auths) {
    const std::string host = registry::registry_of_key(key);
    require(host.find('/') == std::string::npos, "a registry is a host");
    const auto found = file->find(key, "");
    require(!found || is_login(*found), "an empty entry is no login");
    require(key.find("://") != std::string::npos || found.has_value() == is_login(credential) ||
                file->auths.size() > 1,
            "an entry is found by its key");
    static_cast<void>(file->find(host, "team/app"));
    static_cast<void>(file->helper_for(host));
  }
}

std::string file_with(const std::string& auth) {
  const Json file = {{"auths", {{"h.example", {{"auth", auth}}}}}};
  return canonical_dump(file);
}

/// Whatever is wrong with it, what may be a password is not told.
void check_entry(const std::string& auth) {
  const auto file = parse_auth_file(file_with(auth), kPath);
  require(
      file || file.error().message() == parse_auth_file(file_with("*"), kPath).error().message(),
      "an error shows no secret");
}

void check_password(const std::string& password) {
  const auto file = parse_auth_file(file_with(base64_encode("me:" + password)), kPath);
  require(file.has_value(), "every password can be kept");
  const auto found = file->find("h.example", "team/app");
  require(found && found->username == "me", "it has its user");
  // Docker fills up with zero bytes, so that the last ones do not count.
  const std::size_t end = password.find_last_not_of('\0');
  require(found->password == password.substr(0, end == std::string::npos ? 0 : end + 1),
          "it comes back as it was");
}

}  // namespace

void run(std::string_view input) {
  const std::string text(input);
  check_file(text);
  check_entry(text);
  check_password(text);
}

}  // namespace mybuild::fuzz

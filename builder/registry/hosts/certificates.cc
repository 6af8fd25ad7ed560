// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/hosts/certificates.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <cerrno>

namespace mybuild::registry {

namespace {

Result<TlsSettings> read_folder(int folder, const std::string& path) {
  constexpr std::string_view kCertificate = ".cert";
  TlsSettings settings;
  for (const std::string& name : TRY(sys::list_dir(folder))) {
    if (name.ends_with(".crt")) {
      settings.authorities.push_back(join_path(path, name));
    }
    if (!name.ends_with(kCertificate)) {
      continue;
    }
    const std::string key = name.substr(0, name.size() - kCertificate.size()) + ".key";
    if (!sys::exists_at(folder, key)) {
      return not_found("missing key {} for client certificate {}/{}", key, path, name)
          .with_hint("certificates of authorities end in .crt");
    }
    if (settings.client_certificate.empty()) {
      settings.client_certificate = join_path(path, name);
      settings.client_key = join_path(path, key);
    }
  }
  return settings;
}

}  // namespace

Result<std::optional<TlsSettings>> read_certificates(const std::vector<std::string>& folders,
                                                     const std::string& host) {
  for (const std::string& folder : folders) {
    const std::string path = join_path(folder, host);
    const Result<Fd> open = sys::open(path, O_RDONLY | O_DIRECTORY);
    if (!open && (open.error().os_errno() == ENOENT || open.error().os_errno() == ENOTDIR)) {
      continue;
    }
    if (!open) {
      return Error(open.error()).context("certificates for " + host);
    }
    TlsSettings settings = TRY(read_folder(open->get(), path));
    return std::optional(std::move(settings));
  }
  return std::optional<TlsSettings>();
}

}  // namespace mybuild::registry

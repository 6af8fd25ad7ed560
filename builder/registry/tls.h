// SPDX-License-Identifier: Apache-2.0
// What a connection by TLS to one host must look like. Value type.
#pragma once

#include <string>
#include <vector>

namespace mybuild::registry {

struct TlsSettings {
  std::vector<std::string> authorities;  // PEM files, trusted beside the system's
  std::string client_certificate;        // PEM files; both empty: none
  std::string client_key;
  bool verify = true;  // the server's certificate and its name
  bool operator==(const TlsSettings&) const = default;
};

}  // namespace mybuild::registry

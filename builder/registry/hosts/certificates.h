// SPDX-License-Identifier: Apache-2.0
// certs.d: a folder per host with the authorities it may be certified by (*.crt) and our
// certificate for it (*.cert with its *.key), as docker and podman read it. Thread-safe.
#pragma once

#include "builder/registry/tls.h"
#include "snapshotter/base/result.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::registry {

/// Of the first of `folders` that has one for `host` ("host[:port]"); nullopt when none has.
Result<std::optional<TlsSettings>> read_certificates(const std::vector<std::string>& folders,
                                                     const std::string& host);

}  // namespace mybuild::registry

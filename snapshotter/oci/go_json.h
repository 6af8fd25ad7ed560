// SPDX-License-Identifier: Apache-2.0
// JSON text in the form Go's encoding/json gives it, which is what BuildKit, docker and containerd
// write: equal documents then have equal digests. For .cc files of this folder only. Thread-safe.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace mybuild::oci {

/// Keys in the order they were added. `indent` below zero: one line.
std::string go_dump(const nlohmann::ordered_json& value, int indent);

}  // namespace mybuild::oci

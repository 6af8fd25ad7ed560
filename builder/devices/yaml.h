// SPDX-License-Identifier: Apache-2.0
// YAML as far as it is JSON in other clothes: maps, lists and plain values. Anchors, aliases, tags
// and several documents are refused. Pure; thread-safe.
#pragma once

#include "snapshotter/base/json.h"

#include <string_view>

namespace mybuild::devices {

Result<Json> parse_yaml(std::string_view text);

}  // namespace mybuild::devices

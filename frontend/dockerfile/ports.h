// SPDX-License-Identifier: Apache-2.0
// EXPOSE's words: "80", "80/udp", "8000-8005", and docker's old "[ip:]host:container". Pure;
// thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

/// "80/tcp", one for each port of a range.
Result<std::vector<std::string>> parse_port_spec(std::string_view spec);

}  // namespace mybuild::frontend

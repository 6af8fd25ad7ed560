// SPDX-License-Identifier: Apache-2.0
// Names and ids of containers and volumes. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>

namespace mybuild::run {

/// 64 random hex digits.
Result<std::string> new_id();
/// Two words, for a container that nobody gave a name ("brisk_heron"). Not unique.
Result<std::string> random_name();
/// docker's rule: a letter or digit, then one or more of these or '_', '.', '-'. `what` is
/// "container" or "volume".
Status check_name(std::string_view what, std::string_view name);
/// "TERM", "SIGTERM", "15", "RTMIN+3".
Result<int> parse_signal(std::string_view text);

}  // namespace mybuild::run

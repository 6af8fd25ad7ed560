// SPDX-License-Identifier: Apache-2.0
// What `run -v` takes. Pure, thread-safe.
#pragma once

#include "builder/run/container.h"
#include "snapshotter/base/result.h"

#include <string_view>

namespace mybuild::cli {

/// "SRC:DST[:MODE,…]" or "DST"; SRC is a path (a relative one is taken from `current_dir`) or the
/// name of a volume.
Result<run::Volume> parse_volume(std::string_view text, std::string_view current_dir);

}  // namespace mybuild::cli

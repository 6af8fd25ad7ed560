// SPDX-License-Identifier: Apache-2.0
// What `du` prints: docker's summary, and what there is one by one. A pure function to text,
// thread-safe.
#pragma once

#include "builder/usage.h"
#include "cmd/mybuild/cli/store_options.h"
#include "snapshotter/base/clock.h"

#include <string>

namespace mybuild::cli {

Result<std::string> usage_text(const builder::StoreUsage& usage, const DuOptions& options,
                               Time now);

}  // namespace mybuild::cli

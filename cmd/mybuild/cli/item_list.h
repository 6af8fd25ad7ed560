// SPDX-License-Identifier: Apache-2.0
// What `prune` prints while it goes and at its end, and items as `du` lists them. Pure functions to
// text, thread-safe.
#pragma once

#include "builder/space/item.h"
#include "cmd/mybuild/cli/prune_options.h"
#include "snapshotter/base/clock.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace mybuild::cli {

/// Lines of columns that are as wide whatever follows.
std::string removed_heading(const CachePruneOptions& options);
std::string removed_line(const space::Item& item, const CachePruneOptions& options, Time now);
std::string removed_total(std::uint64_t bytes);
/// All of it as one object, for --format json.
std::string removed_json(const std::vector<space::Item>& removed, std::uint64_t bytes);

/// The rows of a table with its heading, least recently used first.
std::vector<std::vector<std::string>> items_table(std::vector<space::Item> items, Time now);
nlohmann::ordered_json items_json(const std::vector<space::Item>& items);

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// LeftSteps: what a build that ends has not published, on its way to the process that goes on with
// it, at once or behind a later build that meets the server again: a file of the state directory.
// Value type.
#pragma once

#include "snapshotter/base/result.h"
#include "solver/cache_index.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cache_client {

struct LeftSteps {
  std::string server;                      // as the user wrote it
  std::vector<solver::CacheRecord> steps;  // each of which ran
};

std::string dump(const LeftSteps& left);
/// InvalidArgument for a file of another version, or a damaged one.
Result<LeftSteps> parse_left_steps(std::string_view text);

}  // namespace mybuild::cache_client

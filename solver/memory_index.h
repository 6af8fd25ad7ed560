// SPDX-License-Identifier: Apache-2.0
// A CacheIndex that lives as long as the process: for tests, and for builds without a state
// directory. Thread-safe.
#pragma once

#include "solver/cache_index.h"

#include <memory>

namespace mybuild::solver {

std::unique_ptr<CacheIndex> make_memory_index();

}  // namespace mybuild::solver

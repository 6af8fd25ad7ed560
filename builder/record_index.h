// SPDX-License-Identifier: Apache-2.0
// The solver's cache index over the store's database. Thread-safe.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/metadata.h"
#include "solver/cache_index.h"

#include <memory>

namespace mybuild::builder {

std::unique_ptr<solver::CacheIndex> make_record_index(snapshotter::Metadata& metadata,
                                                      const Clock& clock);

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
// What a collection took away. Value types.
#pragma once

#include "builder/space/item.h"

#include <functional>
#include <vector>

namespace mybuild::space {

/// Called for each thing that went, in order, in the thread that removes.
using OnRemoved = std::function<void(const Item& item)>;

struct Collected {
  std::vector<Item> removed;
  std::uint64_t bytes = 0;
};

}  // namespace mybuild::space

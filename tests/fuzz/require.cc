// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzz.h"

#include <cstdio>
#include <cstdlib>

namespace mybuild::fuzz {

void require(bool holds, std::string_view promise) {
  if (!holds) {
    std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()),
                 promise.data());
    std::abort();
  }
}

}  // namespace mybuild::fuzz

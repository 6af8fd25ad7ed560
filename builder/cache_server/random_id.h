// SPDX-License-Identifier: Apache-2.0
// Names that nobody guesses: of uploads, claims and tokens. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstddef>
#include <string>

namespace mybuild::cache_server {

/// From the kernel (getrandom(2)), in hex: two digits per byte.
Result<std::string> random_id(std::size_t bytes = 16);

}  // namespace mybuild::cache_server

// SPDX-License-Identifier: Apache-2.0
// Deflate streams read by three decoders that have nothing in common.
#pragma once

#include "snapshotter/base/bytes.h"

#include <string>

namespace mybuild::testing_support {

/// What zlib, libdeflate and ISA-L all make of one whole raw stream that holds `size` bytes; where
/// one of them fails, stops early or differs, its name.
std::string inflate_thrice(ByteSpan deflate, std::size_t size);

}  // namespace mybuild::testing_support

// SPDX-License-Identifier: Apache-2.0
// How much a tree holds: the bytes of its files, each once however many names it has. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <string>

namespace mybuild::run {

/// Never leaves the tree and follows no link, whatever a program does in it meanwhile; what
/// vanishes while it is counted counts nothing, also the tree itself.
Result<std::uint64_t> tree_bytes(const std::string& path);

}  // namespace mybuild::run

// SPDX-License-Identifier: Apache-2.0
// Shared objects of this program, opened when something in them is needed: so a build that needs no
// network starts without TLS libraries, and none loads the server. Thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>

namespace mybuild {

/// Whether it lies where find_in_module() would look.
bool has_module(const std::string& file);
/// The function `symbol` of `file`, which lies beside the binary or in ../lib/mybuild. It stays
/// open for the life of the process: TLS libraries do not like to be unloaded. NotFound says where
/// it was looked for.
Result<void*> find_in_module(const std::string& file, const char* symbol);

}  // namespace mybuild

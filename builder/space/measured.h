// SPDX-License-Identifier: Apache-2.0
// Sizes of directories that others write into, kept beside them, so that nothing is walked again
// that did not change since. Thread-safe, safe between processes: the last note wins, and one that
// cannot be read or written costs a walk and nothing else.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace mybuild::space {

/// The bytes that `walk` counts, or those that the note says. `changed`: when something in it may
/// have changed last; nullopt: it changes now, so what is counted is not for others. `began`: a
/// moment before `changed` was found out.
Result<std::uint64_t> measured_bytes(const std::string& note, std::optional<Time> changed,
                                     Time began,
                                     const std::function<Result<std::uint64_t>()>& walk);

}  // namespace mybuild::space

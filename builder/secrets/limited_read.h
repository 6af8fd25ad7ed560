// SPDX-License-Identifier: Apache-2.0
// Reading what somebody names on the command line: a file, a pipe of the shell's, or by mistake
// something that has no end. Thread-safe.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <cstddef>
#include <string>

namespace mybuild::secrets {

/// Never waits; a directory or a file of more than `limit` bytes is refused.
Result<Fd> open_for_reading(const std::string& path, std::size_t limit);
/// To the end, at most `limit` bytes. Waits for a writer, but not for a pipe that nobody has opened
/// for writing after a while, nor for a silent device.
Result<std::string> read_limited(int fd, std::size_t limit, const Cancel& cancel);

}  // namespace mybuild::secrets

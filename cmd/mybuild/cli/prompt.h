// SPDX-License-Identifier: Apache-2.0
// A question on the terminal, and its answer.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <string>
#include <string_view>

namespace mybuild::cli {

enum class Echo { On, Off };

/// Asks on stderr and reads a line of stdin, which is a terminal; with Echo::Off nobody sees what
/// is typed. Ends at once on `cancel`; the terminal is as before then.
Result<std::string> ask(std::string_view question, Echo echo, const Cancel& cancel);
/// All of stdin, without the line break at its end; at most 1 MiB.
Result<std::string> read_secret_from_stdin(const Cancel& cancel);

}  // namespace mybuild::cli

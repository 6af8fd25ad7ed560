// SPDX-License-Identifier: Apache-2.0
// What -o says, as buildx spells it. Pure, thread-safe.
#pragma once

#include "builder/export/exporter.h"
#include "snapshotter/base/result.h"

#include <string_view>

namespace mybuild::cli {

/// "type=oci,dest=image.tar,…", or the short forms DIR (type=local) and - (a tar to stdout).
Result<exporter::OutputSpec> parse_output(std::string_view text);

/// Refuses to write an archive to a terminal or over a directory.
Status check_output_target(const exporter::OutputSpec& spec, bool stdout_is_terminal);

}  // namespace mybuild::cli

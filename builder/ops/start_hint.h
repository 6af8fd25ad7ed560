// SPDX-License-Identifier: Apache-2.0
// What would let a program start that did not: most often one for another processor.
#pragma once

#include "snapshotter/oci/platform.h"

#include <string>
#include <string_view>

namespace mybuild::ops {

/// `start_error`: that of a SandboxExit. `owner`, "the step" or "the image", is for `platform`. ""
/// when nobody knows.
std::string start_hint(std::string_view start_error, std::string_view owner,
                       const oci::Platform& platform);

}  // namespace mybuild::ops

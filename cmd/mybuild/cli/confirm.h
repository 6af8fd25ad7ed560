// SPDX-License-Identifier: Apache-2.0
// The question before something that cannot be taken back.
#pragma once

#include <string_view>

namespace mybuild::cli {

/// Asks on stderr; true when a line of stdin says yes.
bool confirmed(std::string_view warning);

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// A process may be started with standard streams closed. Whatever it opened next would take their
// numbers, and then be written to as "stderr" or be handed to a container as its own.
#pragma once

namespace mybuild::cli {

/// Opens /dev/null for each standard stream that is closed; before anything else is opened.
void occupy_standard_streams();

}  // namespace mybuild::cli

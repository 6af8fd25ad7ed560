// SPDX-License-Identifier: Apache-2.0
// How long to wait before an attempt is repeated. Thread-compatible.
#pragma once

#include "builder/registry/transport.h"

#include <chrono>

namespace mybuild::registry {

/// `failures` counts from 1. Half of the wait is random, so that many clients do not come back
/// together. A registry that says how long to wait is obeyed within limits.
std::chrono::milliseconds backoff_delay(int failures, const Response* answer);
/// Sleeps; ends early with the reason when cancelled.
Status wait_or_cancel(std::chrono::milliseconds delay, const Cancel& cancel);

}  // namespace mybuild::registry

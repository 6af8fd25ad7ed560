// SPDX-License-Identifier: Apache-2.0
// A guess that costs less than to find out: whether a build is going to need mybuild-net.so, so
// that it can be loaded while the store is opened. When it is wrong, another core did a few
// milliseconds of work for nothing, or these come later. Thread-safe.
#pragma once

#include "builder/request.h"

namespace mybuild::cli {

bool expects_network(const builder::BuildRequest& request);

}  // namespace mybuild::cli

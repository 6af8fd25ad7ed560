// SPDX-License-Identifier: Apache-2.0
// Runs the body of a "build step" inside a root that a driver prepared, in a process of its own: a
// fork of the single-threaded test with its own mount namespace, the root mounted at a temporary
// directory.
#pragma once

#include "snapshotter/snapshotter.h"

#include <functional>
#include <string>

namespace mybuild::snapshotter::testing {

/// `step` gets the path of the root. Empty answer: it ran; else what did not work.
std::string run_in_root(const RootMount& root,
                        const std::function<void(const std::string& dir)>& step);

/// Empty when overlayfs can be mounted here, else the missing right.
std::string overlay_problem();

}  // namespace mybuild::snapshotter::testing

// SPDX-License-Identifier: Apache-2.0
// The overlayfs driver: a root is a stack of layer trees and an empty upper directory; what the
// step changed is the upper directory after clean-up. It costs O(layers) to prepare and O(changes)
// to finish. Thread-safe.
#pragma once

#include "snapshotter/snapshotter.h"

namespace mybuild::snapshotter {

std::unique_ptr<Snapshotter> make_overlay_snapshotter();

}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
// How an empty volume gets what an image has at its place. The copy is made beside the data and
// moved in when it is whole, so that kill -9 leaves no volume that looks filled and is not: the
// next one to use it goes on. The caller holds the volume's lock. Thread-compatible.
#pragma once

#include "snapshotter/base/result.h"
#include "snapshotter/tree_view.h"

#include <string>

namespace mybuild::run {

/// `volume` and `data` are descriptors of the volume's directory and of the one for its data.
/// True when nothing is in it, or an earlier filling was cut short.
Result<bool> wants_contents(int volume, int data);

/// Does nothing when `data` holds something, or the image has nothing at `target`.
/// InvalidArgument when the image has a file there.
Status fill_volume(int volume, int data, const snapshotter::TreeView& image,
                   const std::string& target);

}  // namespace mybuild::run

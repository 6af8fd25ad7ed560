// SPDX-License-Identifier: Apache-2.0
// What the ".wh." names of a layer tar mean (format.md, "Deletions"). Internal to archive/.
// Thread-safe.
#pragma once

#include "snapshotter/archive/entry.h"

namespace mybuild::snapshotter {

/// True when a part of the clean path begins with ".wh.".
bool has_whiteout_part(std::string_view path);

enum class LayerName { Ordinary, Ignored, Translated };

/// Turns an entry with a ".wh." name into what it means. AUFS kept files of its own under
/// ".wh..wh.", which mean nothing here: Ignored. Nonsense is InvalidArgument.
Result<LayerName> translate_layer_name(Entry& entry);

}  // namespace mybuild::snapshotter

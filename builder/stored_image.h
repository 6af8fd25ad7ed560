// SPDX-License-Identifier: Apache-2.0
// An image of the local store as exporters take it, with the bytes it came with. Inside builder.
#pragma once

#include "builder/services.h"

namespace mybuild::builder {

Result<exporter::BuiltImage> stored_image(const Digest& config, Engine::Services& own);

}  // namespace mybuild::builder

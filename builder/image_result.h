// SPDX-License-Identifier: Apache-2.0
// From the frontend's config and the solver's layers to the image that exporters write: diff ids,
// history times, created. Thread-safe (no state).
#pragma once

#include "builder/export/exporter.h"
#include "builder/ops/result.h"
#include "frontend/frontend.h"

#include <optional>

namespace mybuild::builder {

/// `tree`: null for an image without layers. With `epoch` (SOURCE_DATE_EPOCH) every time this build
/// made is that one.
exporter::BuiltImage make_image(const frontend::Target& target, const ops::TreeResult* tree,
                                std::optional<std::int64_t> epoch);

}  // namespace mybuild::builder

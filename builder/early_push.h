// SPDX-License-Identifier: Apache-2.0
// What the steps of a build make as blobs on their way (output_needs.h) goes to the registries of
// its outputs at once. Thread-safe.
#pragma once

#include "builder/export/exporter.h"
#include "builder/export/layer_streams.h"

#include <span>

namespace mybuild::builder {

/// `names`: the build's own. What is to be sent in more than one place goes to the first of each
/// output; an output whose registry may do without TLS waits for its turn. `streams` outlives the
/// answer.
snapshotter::OnDraft early_push(std::span<const exporter::OutputSpec> outputs,
                                const std::vector<oci::Reference>& names,
                                exporter::LayerStreams& streams);

}  // namespace mybuild::builder

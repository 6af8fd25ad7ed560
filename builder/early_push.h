// SPDX-License-Identifier: Apache-2.0
// What the steps of a build make as blobs on their way (output_needs.h) goes to the registries of
// its outputs at once. Thread-safe.
#pragma once

#include "builder/export/exporter.h"
#include "builder/export/layer_streams.h"
#include "builder/export/push_start.h"

#include <span>

namespace mybuild::builder {

/// `names`: the build's own. What is to be sent in more than one place goes to the first of each
/// output; an output whose registry may do without TLS waits for its turn. `streams` outlives the
/// answer.
snapshotter::OnDraft early_push(std::span<const exporter::OutputSpec> outputs,
                                const std::vector<oci::Reference>& names,
                                exporter::LayerStreams& streams);

/// What exports to registries will ask and begin, as far as that can be done before them. Null
/// where nothing goes to one in the build's own way.
std::unique_ptr<exporter::PushStart> start_pushes(std::span<const exporter::OutputSpec> outputs,
                                                  const std::vector<oci::Reference>& names,
                                                  exporter::ExportDeps& deps, Cancel& user);

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
#include "builder/early_push.h"

#include "builder/output_needs.h"

#include <vector>

namespace mybuild::builder {

namespace {

struct Destination {
  snapshotter::CompressionSpec form;
  oci::Reference repository;
};

}  // namespace

snapshotter::OnDraft early_push(std::span<const exporter::OutputSpec> outputs,
                                const std::vector<oci::Reference>& names,
                                exporter::LayerStreams& streams) {
  std::vector<Destination> destinations;
  for (const exporter::OutputSpec& output : outputs) {
    const std::vector<oci::Reference>& targets = output.names.empty() ? names : output.names;
    if (is_pushed(output) && !output.insecure && !targets.empty()) {
      destinations.push_back({.form = output.compression, .repository = targets.front()});
    }
  }
  if (destinations.empty()) {
    return {};
  }
  return [destinations, &streams](const snapshotter::CompressionSpec& form,
                                  const std::shared_ptr<snapshotter::GrowingBlob>& blob) {
    for (const Destination& destination : destinations) {
      const snapshotter::CompressionSpec& wanted = destination.form;
      if (wanted.compression == form.compression && wanted.level == form.level) {
        streams.begin(destination.repository, blob);
      }
    }
  };
}

}  // namespace mybuild::builder

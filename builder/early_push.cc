// SPDX-License-Identifier: Apache-2.0
#include "builder/early_push.h"

#include "builder/output_needs.h"

#include <algorithm>
#include <vector>

namespace mybuild::builder {

namespace {

struct Destination {
  snapshotter::CompressionSpec form;
  oci::Reference repository;
};

/// Where the output's image goes in the build's own way; empty: nowhere.
std::vector<oci::Reference> targets_of(const exporter::OutputSpec& output,
                                       const std::vector<oci::Reference>& names) {
  if (!is_pushed(output) || output.insecure) {
    return {};
  }
  return output.names.empty() ? names : output.names;
}

}  // namespace

snapshotter::OnDraft early_push(std::span<const exporter::OutputSpec> outputs,
                                const std::vector<oci::Reference>& names,
                                exporter::LayerStreams& streams) {
  std::vector<Destination> destinations;
  for (const exporter::OutputSpec& output : outputs) {
    const std::vector<oci::Reference> targets = targets_of(output, names);
    if (!targets.empty()) {
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

std::unique_ptr<exporter::PushStart> start_pushes(std::span<const exporter::OutputSpec> outputs,
                                                  const std::vector<oci::Reference>& names,
                                                  exporter::ExportDeps& deps, Cancel& user) {
  std::vector<oci::Reference> tags;
  for (const exporter::OutputSpec& output : outputs) {
    for (oci::Reference& target : targets_of(output, names)) {
      if (output.push_by_digest || target.tag.empty()) {
        continue;
      }
      target.digest.reset();
      if (std::find(tags.begin(), tags.end(), target) == tags.end()) {
        tags.push_back(std::move(target));
      }
    }
  }
  if (tags.empty() || deps.push == nullptr) {
    return nullptr;
  }
  auto start = std::make_unique<exporter::PushStart>(deps.lanes, *deps.push, deps.content, user);
  start->ask(tags);
  return start;
}

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
// Sends a manifest list to the registry that its name says: what the repository lacks of the images
// is mounted from the repositories they are in, or comes through the content store, then the index
// gets its tag.
#pragma once

#include "builder/export/exporter.h"
#include "builder/manifest_list/list.h"
#include "builder/registry/client.h"
#include "snapshotter/claims.h"

#include <vector>

namespace mybuild::manifest_list {

struct PushedList {
  Digest digest;                // of the index
  std::vector<Digest> brought;  // images that came from other repositories, in the list's order
};

struct PushAccess {
  exporter::ExportDeps& deps;
  registry::RegistryClient& registry;
  const snapshotter::Claims* claims = nullptr;
};

/// Reports under `vertex`.
Result<PushedList> push_list(const ManifestList& list, const PushAccess& access,
                             const solver::VertexId& vertex);

}  // namespace mybuild::manifest_list

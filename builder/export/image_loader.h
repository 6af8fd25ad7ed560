// SPDX-License-Identifier: Apache-2.0
// ImageLoader: the docker daemon or podman of whoever builds, as a place for images: an archive is
// streamed into its `load`. Thread-compatible.
#pragma once

#include "builder/export/exporter.h"

#include <optional>
#include <string>

namespace mybuild::exporter {

struct ImageLoader {
  std::string program;  // "docker" or "podman"
};

/// $MYBUILD_LOAD_INTO says which (docker, podman or none); without it docker where its daemon
/// answers, else podman, else none. Asks a program once, for two seconds at most. One that was
/// named and does not answer is an error.
Result<std::optional<ImageLoader>> find_image_loader(const Cancel& cancel);

/// Reports under `vertex`. Fails with the program's own words.
Status load_image(const SavedImage& image, const ImageLoader& loader, ExportDeps& deps,
                  const solver::VertexId& vertex);

}  // namespace mybuild::exporter

// SPDX-License-Identifier: Apache-2.0
// The factories behind make_exporter() and what several exporters share. Inside builder/export
// only.
#pragma once

#include "builder/export/exporter.h"
#include "builder/export/output_file.h"
#include "snapshotter/tree_view.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::exporter {

std::unique_ptr<Exporter> make_store_exporter(const OutputSpec& spec, ExportDeps& deps);
std::unique_ptr<Exporter> make_registry_exporter(const OutputSpec& spec, ExportDeps& deps);
/// type=image,push=true: the local store, then the registry; only that with rewrite-timestamp, as
/// the store keeps trees.
std::unique_ptr<Exporter> make_image_push_exporter(const OutputSpec& spec, ExportDeps& deps);
std::unique_ptr<Exporter> make_layout_exporter(const OutputSpec& spec, ExportDeps& deps);
std::unique_ptr<Exporter> make_tar_exporter(const OutputSpec& spec, ExportDeps& deps);
std::unique_ptr<Exporter> make_local_exporter(const OutputSpec& spec, ExportDeps& deps);

/// All names of an output, -t first, each once; one without a tag is refused.
Result<std::vector<oci::Reference>> tag_names(const OutputSpec& spec, const BuildOutput& output);

/// What a docker archive says to several.
Error refuse_platforms();
/// True when the result is an index, or one folder per platform.
bool is_multi_platform(const BuildOutput& output);
/// "linux_arm_v7/" when the output has a folder per platform, else "".
std::string platform_prefix(const BuiltImage& image, const BuildOutput& output,
                            const OutputSpec& spec);

/// Refuses that the files of two platforms fall on one another where they share a folder.
class PlatformPaths {
 public:
  Status add(const std::string& prefix, const snapshotter::Entry& entry,
             const oci::Platform& platform);

 private:
  std::map<std::string, std::string> platforms_;  // by path
};

/// What `docker save` writes, of images with layers as `spec` says. Does not commit `file`.
Status write_docker_archive(const std::vector<SavedImage>& images, const OutputSpec& spec,
                            OutputFile& file, ExportDeps& deps, const solver::VertexId& vertex);

/// The result as one tree. Its layers must be unpacked (LayerFetcher::trees).
Result<std::unique_ptr<snapshotter::TreeView>> open_result(const BuiltImage& image,
                                                           ExportDeps& deps);

}  // namespace mybuild::exporter

// SPDX-License-Identifier: Apache-2.0
// Exporters: what a build made becomes an image in the local store, an OCI layout, a docker
// archive, a tar or a directory. Each writes to a draft and renames, so a failed export leaves no
// half result. Thread-compatible.
#pragma once

#include "builder/export/annotation.h"
#include "builder/registry/push.h"
#include "snapshotter/archive/codec.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/lanes.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/oci/descriptor.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/oci/reference.h"
#include "solver/progress.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::exporter {

/// The result for one platform. `config` is final: diff_ids, history with times, created.
struct BuiltImage {
  oci::Platform platform;
  oci::ImageConfig config;
  std::vector<snapshotter::Layer> layers;  // lowest first; config.diff_ids in the same order
  /// Of an image that came from outside: its documents as they are, so that its digests stay.
  std::string config_document;
  std::optional<oci::Descriptor> manifest;  // in the content store, as all of its blobs
  /// Members of a JSON object that go into the config document where a manifest names it; not into
  /// that of the local store.
  std::string config_extra;
};

struct BuildOutput {
  std::vector<BuiltImage> images;     // one per platform asked for
  std::vector<oci::Reference> names;  // -t
  std::optional<std::int64_t> source_date_epoch;
  bool multi_platform = false;  // --platform named several: an index is written
};

enum class OutputType { Image, Oci, Docker, Local, Tar, CacheOnly, Registry };

/// One -o, already parsed.
struct OutputSpec {
  OutputType type = OutputType::Image;
  std::string dest;                   // file or directory; "-" = stdout (tar forms)
  std::vector<oci::Reference> names;  // name=, added to -t
  snapshotter::CompressionSpec compression;
  bool force_compression = false;  // of base layers as well
  bool tar = true;                 // Oci: false = a directory
  bool rewrite_timestamp = false;
  bool push = false;            // Image: to the registry as well, under `names` (else -t)
  bool store = true;            // Image: in the local store; false leaves only the push
  bool keep_blobs = false;      // Image: the store gets a manifest and the layers as blobs, too
  bool push_by_digest = false;  // to the repositories of the names, which name nothing then
  bool docker_types = false;    // oci-mediatypes=false
  bool insecure = false;        // the registries of its names may do without TLS
  std::optional<bool>
      platform_split;  // Local, Tar: a folder per platform; else if there are several
  std::vector<Annotation> annotations;            // a later one wins
  std::optional<std::int64_t> source_date_epoch;  // source-date-epoch=, in place of the build's
};

/// What the metadata file and --iidfile are made from.
struct ExportReport {
  std::optional<oci::Descriptor> descriptor;  // of the manifest or index
  std::optional<Digest> config;               // the image id
  std::vector<std::string> names;
};

/// Makes trees or blobs of base layers present before they are read (a base image may not have been
/// downloaded yet).
struct LayerFetcher {
  std::function<Status()> trees;
  std::function<Status()> blobs;
};

class EarlyArchives;
class LayerStreams;
class PushStart;

struct ExportDeps {
  snapshotter::ContentStore& content;
  snapshotter::LayerStore& layers;
  snapshotter::Metadata& metadata;
  Lanes& lanes;
  solver::EventSink& events;
  const Cancel& cancel;
  const Clock& clock;
  registry::RegistryPush* push = nullptr;  // null: outputs that push are an internal error
  LayerFetcher fetch;
  LayerStreams* streams = nullptr;  // of the build's or push's; null: layers go when they are whole
  EarlyArchives* archives = nullptr;  // of the build; null: archives are written when all is there
  PushStart* start = nullptr;         // of the build's; null: nothing was begun before the export
};

/// Gives names to an image that the local store has from an earlier build, and shows it as if it
/// had been exported again.
Result<ExportReport> name_stored_image(const snapshotter::ImageRow& image, const OutputSpec& spec,
                                       const std::vector<oci::Reference>& names, ExportDeps& deps,
                                       const solver::VertexId& vertex);

class Exporter {
 public:
  virtual ~Exporter() = default;
  /// What progress calls it: "exporting to image", "exporting to oci image format".
  virtual std::string title() const = 0;
  /// Reports parts ("exporting layers", "naming to …") as Progress of `vertex`.
  virtual Result<ExportReport> write(const BuildOutput& output, const solver::VertexId& vertex) = 0;
};

/// What will be exported, as far as it is known before anything runs.
struct ExpectedOutput {
  std::vector<oci::Platform> platforms;
  bool multi_platform = false;
  std::optional<std::int64_t> source_date_epoch;
  bool inline_cache = false;  // images are to carry the cache of their steps
};
/// Refuses what could only fail after the build, and warns of what will have no effect.
Status check_outputs(const std::vector<OutputSpec>& specs, const ExpectedOutput& expected,
                     solver::EventSink& events);

std::unique_ptr<Exporter> make_exporter(const OutputSpec& spec, ExportDeps& deps);

/// The manifest of an image with its layers as blobs of `compression`, all in the content store.
Result<oci::Descriptor> write_manifest(const BuiltImage& image, const OutputSpec& spec,
                                       const BuildOutput& output, ExportDeps& deps);

/// An image of the local store for save_images().
struct SavedImage {
  BuiltImage image;
  std::vector<oci::Reference> names;
};
/// `docker save`: one archive of images, which docker, podman and OCI tools read. `dest`: a file,
/// or
/// "-" for standard output.
Status save_images(const std::vector<SavedImage>& images, const std::string& dest, ExportDeps& deps,
                   const solver::VertexId& vertex);

}  // namespace mybuild::exporter

// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/cache_export.h"

#include "builder/export/documents.h"
#include "builder/export/step.h"
#include "builder/ops/trees.h"
#include "snapshotter/base/log.h"

#include <algorithm>
#include <atomic>

namespace mybuild::remote_cache {

namespace {

using snapshotter::Layer;

constexpr std::size_t kEarlyAtOnce = 2;    // beside steps that run
constexpr std::size_t kUploadsAtOnce = 5;  // docker's

std::string name_of(const CacheTarget& target) {
  return target.type == CacheTarget::Type::Local ? target.dest : target.ref.str();
}

Result<oci::Descriptor> put_document(std::string_view media_type, const std::string& text,
                                     snapshotter::ContentStore& content) {
  const snapshotter::BlobInfo blob = TRY(content.put(text));
  oci::Descriptor descriptor;
  descriptor.media_type = media_type;
  descriptor.digest = blob.digest;
  descriptor.size = blob.size;
  return descriptor;
}

/// As a document names it, whatever the image that it came with said.
oci::Descriptor plain(const oci::Descriptor& blob) {
  oci::Descriptor descriptor;
  descriptor.media_type = oci::oci_media_type(blob.media_type);
  descriptor.digest = blob.digest;
  descriptor.size = blob.size;
  return descriptor;
}

}  // namespace

/// What goes on beside the build is shown when the export has its turn.
class CacheExport::Silence final : public solver::EventSink {
 public:
  void on_event(solver::Event) override {}
};

CacheExport::CacheExport(const std::vector<CacheTarget>& targets, const exporter::ExportDeps& deps,
                         source::RemoteLayers* imported)
    : deps_(deps),
      imported_(imported),
      silence_(std::make_unique<Silence>()),
      quiet_deps_{.content = deps.content,
                  .layers = deps.layers,
                  .metadata = deps.metadata,
                  .lanes = deps.lanes,
                  .events = *silence_,
                  .cancel = deps.cancel,
                  .clock = deps.clock,
                  .push = deps.push,
                  .fetch = {}} {
  std::copy_if(targets.begin(), targets.end(), std::back_inserter(targets_),
               [](const CacheTarget& target) { return target.type != CacheTarget::Type::Inline; });
  for (const CacheTarget& target : targets_) {
    early_writers_.push_back(target.max ? make_cache_writer(target, quiet_deps_, {}) : nullptr);
  }
}

CacheExport::~CacheExport() {
  stop_early();
}

void CacheExport::begin(const solver::CacheRecord& record) {
  const Result<ops::StepLayer> step = ops::parse_body(record.body);
  const bool is_wanted = std::any_of(early_writers_.begin(), early_writers_.end(),
                                     [](const auto& writer) { return writer != nullptr; });
  if (!step || !is_wanted) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (is_over_) {
    return;
  }
  waiting_.push_back(step->layer.diff_id);
  if (workers_ < kEarlyAtOnce) {
    ++workers_;
    deps_.lanes.post(Lane::Net, [this] { work(); });
  }
}

void CacheExport::work() {
  for (;;) {
    Digest diff_id;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        --workers_;
        idle_.notify_all();
        return;
      }
      diff_id = waiting_.front();
      waiting_.pop_front();
    }
    if (const Status sent = early(diff_id); !sent) {
      log::debug("export of layer {} beside the build: {}", diff_id.str(), sent.error().message());
    }
  }
}

Status CacheExport::early(const Digest& diff_id) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    TRY(deps_.cancel.check());
    if (early_writers_[i] != nullptr) {
      const oci::Descriptor blob = TRY(deps_.layers.ensure_blob(diff_id, targets_[i].compression));
      TRY(early_writers_[i]->put(plain(blob)));
    }
  }
  return {};
}

void CacheExport::stop_early() {
  std::unique_lock lock(mutex_);
  is_over_ = true;
  waiting_.clear();
  idle_.wait(lock, [this] { return workers_ == 0; });
}

Status CacheExport::finish(const std::vector<ExportedStep>& all,
                           const std::vector<ExportedStep>& image) {
  stop_early();
  return deps_.lanes.fan_out(Lane::Net, targets_.size(), [&](std::size_t i) -> Status {
    const CacheTarget& target = targets_[i];
    Status written = write(target, target.max ? all : image);
    if (written || !target.ignore_error || written.error().kind() == ErrorKind::Cancelled) {
      return written;
    }
    deps_.events.on_event(solver::Warning{
        .message = written.error().message(), .detail = written.error().hint(), .location = {}});
    return {};
  });
}

/// Several of one kind are told apart.
std::string CacheExport::title_of(const CacheTarget& target) const {
  const std::string title = target.type == CacheTarget::Type::Local
                                ? "exporting cache to client directory"
                                : "exporting cache to registry";
  const auto same = std::count_if(targets_.begin(), targets_.end(),
                                  [&](const auto& other) { return other.type == target.type; });
  return same > 1 ? title + " " + name_of(target) : title;
}

Status CacheExport::write(const CacheTarget& target, const std::vector<ExportedStep>& steps) {
  const std::string title = title_of(target);
  const solver::VertexId vertex = solver::internal_vertex(title);
  deps_.events.on_event(solver::VertexStarted{vertex, title, deps_.clock.now()});
  Status written = write_shown(target, steps, vertex);
  if (!written) {
    written = Error(written.error()).context("export cache to " + name_of(target));
  }
  std::optional<Error> error;
  if (!written) {
    error = written.error();
  }
  deps_.events.on_event(solver::VertexDone{vertex, deps_.clock.now(), std::move(error)});
  return written;
}

Status CacheExport::write_shown(const CacheTarget& target, const std::vector<ExportedStep>& steps,
                                const solver::VertexId& vertex) {
  const std::unique_ptr<CacheWriter> writer = make_cache_writer(target, deps_, vertex);
  TRY(writer->greet());
  const std::vector<Layer> layers = layers_of(steps);
  std::vector<oci::Descriptor> blobs(layers.size());
  std::atomic<std::size_t> next{0};
  TRY(deps_.lanes.fan_out(Lane::Net, std::min(layers.size(), kUploadsAtOnce),
                          [&](std::size_t) -> Status {
                            for (std::size_t i = next++; i < layers.size(); i = next++) {
                              blobs[i] = TRY(write_layer(target, layers[i], *writer));
                            }
                            return {};
                          }));
  const CacheDocument document = make_document(steps, blobs);
  const oci::Descriptor config = TRY(put_document(kConfigType, dump(document), deps_.content));
  const oci::Descriptor manifest =
      TRY(put_document(oci::kMediaTypeManifest, dump_manifest(document, config), deps_.content));
  std::erase_if(blobs, is_no_blob);
  return writer->finish(config, manifest, blobs);
}

/// A layer that is known from another cache is brought here only when the target hasn't got it.
Result<oci::Descriptor> CacheExport::write_layer(const CacheTarget& target, const Layer& layer,
                                                 CacheWriter& writer) {
  TRY(deps_.cancel.check());
  if (layer.blob && is_no_blob(*layer.blob)) {
    return *layer.blob;
  }
  const std::span<const Layer> alone(&layer, 1);
  if (layer.blob && imported_ != nullptr && !target.compression.force) {
    const oci::Descriptor blob = plain(*layer.blob);
    if (TRY(writer.has(blob))) {
      return blob;
    }
    TRY(imported_->fetch_blobs(alone));
    TRY(writer.put(blob));
    return blob;
  }
  if (layer.blob && imported_ != nullptr) {
    TRY(imported_->fetch_trees(alone));
  }
  oci::Descriptor blob = TRY(deps_.layers.ensure_blob(layer.diff_id, target.compression));
  blob = plain(blob);
  TRY(writer.put(blob));
  return blob;
}

}  // namespace mybuild::remote_cache

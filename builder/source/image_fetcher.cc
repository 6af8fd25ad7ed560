// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_fetcher.h"

#include "snapshotter/archive/codec.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"
#include "snapshotter/oci/media_type.h"

#include <algorithm>
#include <optional>

namespace mybuild::source {

namespace {

using snapshotter::Layer;
using snapshotter::LayerBlob;

/// Layers that need a key, or come in a form of another day, cannot be unpacked.
Status check_layer_type(const Layer& layer) {
  const std::string& type = layer.blob->media_type;
  return oci::is_layer(type)
             ? Status()
             : unsupported("layer {} has media type {}", layer.blob->digest.str(), type);
}

/// Whoever made the image may have meant a foreign layer to be fetched from its own address, where
/// we never go.
Error explain_foreign(const Layer& layer, Error error) {
  if (error.kind() != ErrorKind::NotFound || !oci::is_foreign_layer(layer.blob->media_type)) {
    return error;
  }
  return std::move(error).with_hint(
      "it is a foreign layer: its vendor gives it out, and this registry does not have it");
}

/// Tells when a layer's blob has been read to its end.
class ExtractSource final : public Source {
 public:
  ExtractSource(std::unique_ptr<Source> blob, BlobFetcher& fetcher, solver::Progress progress)
      : blob_(std::move(blob)), fetcher_(fetcher), progress_(std::move(progress)) {
    fetcher_.report(progress_);
  }
  Result<std::size_t> read(MutableByteSpan buffer) override {
    const std::size_t count = TRY(blob_->read(buffer));
    if (count == 0 && !buffer.empty() && !progress_.done) {
      progress_.done = true;
      fetcher_.report(progress_);
    }
    return count;
  }

 private:
  std::unique_ptr<Source> blob_;
  BlobFetcher& fetcher_;
  solver::Progress progress_;
};

/// That a blob unpacks to a diff id is a claim of its image until somebody looked; others will rely
/// on the pair.
Status check_diff_id(Source& blob, const Digest& diff_id) {
  const auto tar = TRY(snapshotter::make_decompressor(blob));
  Hasher hasher;
  TRY(copy(*tar, hasher));
  if (const Digest actual = hasher.finish(); actual != diff_id) {
    return data_loss("the unpacked bytes have digest {} instead of {}", actual.str(),
                     diff_id.str());
  }
  return {};
}

bool is_any(const std::vector<bool>& marks) {
  return std::find(marks.begin(), marks.end(), true) != marks.end();
}

}  // namespace

/// What became of one layer; several threads write, each its own.
struct ImageFetcher::OpenedLayer {
  bool is_opened = false;
  std::function<Status()> verdict;  // empty: it never came so far
};

Result<std::vector<bool>> ImageFetcher::missing_trees(const Image& image) {
  std::vector<bool> missing;
  const std::span<const Digest> chain(image.config.diff_ids);
  for (std::size_t count = 1; count <= chain.size(); ++count) {
    const std::optional<std::string> tree = TRY(deps_.layers.tree(chain.first(count)));
    missing.push_back(!tree);
  }
  return missing;
}

BlobWant ImageFetcher::want(const Image& image, const Layer& layer,
                            const solver::VertexId& vertex) const {
  return {.blob = *layer.blob, .origin = image.origin, .vertex = vertex};
}

Status ImageFetcher::fetch_trees(Image& image, const solver::VertexId& vertex) {
  const std::lock_guard lock(image.fetching);
  std::vector<bool> missing = TRY(missing_trees(image));
  if (!is_any(missing)) {
    return {};
  }
  TRY(check_missing(image, missing));
  // Downloads need not wait for others who unpack a part of the image.
  const BlobFetcher::Interest interest = BlobFetcher::interest();
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i]) {
      blobs_.prefetch(want(image, image.layers[i], vertex), interest);
    }
  }
  const std::optional<snapshotter::Claim> claimed = TRY(claim(image, missing, vertex));
  missing = TRY(missing_trees(image));
  return is_any(missing) ? unpack(image, vertex).context(image.name) : Status();
}

Status ImageFetcher::check_missing(const Image& image, const std::vector<bool>& missing) const {
  for (std::size_t i = 0; i < missing.size(); ++i) {
    const Layer& layer = image.layers[i];
    if (missing[i] && !layer.blob) {
      return not_found("{}: layer {} is gone from the store", image.name, layer.diff_id.str())
          .with_hint("build the image again");
    }
    if (missing[i]) {
      TRY(check_layer_type(layer).context(image.name));
    }
  }
  return {};
}

/// All at once, since they are given up together, when the last one has its name.
Result<std::optional<snapshotter::Claim>> ImageFetcher::claim(const Image& image,
                                                              const std::vector<bool>& missing,
                                                              const solver::VertexId& vertex) {
  if (deps_.claims == nullptr) {
    return std::optional<snapshotter::Claim>();
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (missing[i]) {
      names.push_back(snapshotter::Claims::layer(image.layers[i].diff_id));
    }
  }
  const auto on_wait = [&] {
    deps_.events.on_event(
        solver::LogChunk{.vertex = vertex,
                         .stream = 2,
                         .bytes = "waiting for layers that another build or command unpacks now\n",
                         .time = deps_.clock.now()});
  };
  return std::optional(TRY(deps_.claims->take(std::move(names), deps_.cancel, on_wait)));
}

Status ImageFetcher::unpack(const Image& image, const solver::VertexId& vertex) {
  std::vector<LayerBlob> chain;
  std::vector<OpenedLayer> opened(image.layers.size());
  for (std::size_t i = 0; i < image.layers.size(); ++i) {
    const Layer& layer = image.layers[i];
    const auto open = [this, &image, &layer, &vertex, &mark = opened[i]] {
      return open_layer(image, layer, vertex, mark);
    };
    chain.push_back({.diff_id = layer.diff_id, .open = open});
  }
  Status status = deps_.layers.unpack(chain, deps_.lanes);
  if (!status) {
    return failure(image, opened, std::move(status).error());
  }
  std::vector<Layer> came;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (opened[i].is_opened) {
      came.push_back(image.layers[i]);
    }
  }
  return deps_.layers.add_original_blobs(came);
}

/// What went wrong with a download is the reason of what its layer looked like. A blob that a disk
/// has broken must not be what the next build finds; one that is what its digest says may be
/// another image's, and this one's config lies of it.
Error ImageFetcher::failure(const Image& image, const std::vector<OpenedLayer>& opened,
                            Error error) {
  for (std::size_t i = 0; i < opened.size(); ++i) {
    if (!opened[i].verdict) {
      continue;
    }
    if (Status transferred = opened[i].verdict(); !transferred) {
      return explain_foreign(image.layers[i], std::move(transferred).error());
    }
    if (error.kind() != ErrorKind::DataLoss) {
      continue;
    }
    if (const Status removed = remove_if_damaged(image.layers[i].blob->digest); !removed) {
      log::debug("remove a damaged blob: {}", removed.error().message());
    }
  }
  return error;
}

Status ImageFetcher::remove_if_damaged(const Digest& blob) {
  const bool is_whole = TRY(deps_.content.verify(blob));
  return is_whole ? Status() : deps_.content.remove(blob);
}

Result<std::unique_ptr<Source>> ImageFetcher::open_layer(const Image& image, const Layer& layer,
                                                         const solver::VertexId& vertex,
                                                         OpenedLayer& opened) {
  opened.is_opened = true;
  if (!layer.blob) {
    return not_found("layer {} is gone from the store", layer.diff_id.str());
  }
  Result<IncomingBlob> blob = blobs_.open(want(image, layer, vertex));
  if (!blob) {
    return explain_foreign(layer, blob.error());
  }
  opened.verdict = std::move(blob->verdict);
  solver::Progress progress{.vertex = vertex,
                            .item = "extracting " + layer.blob->digest.str(),
                            .current = 0,
                            .total = 0,
                            .done = false,
                            .time = {}};
  return std::unique_ptr<Source>(
      std::make_unique<ExtractSource>(std::move(blob->source), blobs_, std::move(progress)));
}

Status ImageFetcher::fetch_blobs(Image& image, const solver::VertexId& vertex) {
  const std::lock_guard lock(image.fetching);
  std::vector<const Layer*> wanted;
  for (const Layer& layer : image.layers) {
    if (layer.blob) {
      wanted.push_back(&layer);
    }
  }
  return fetch_blobs(image, wanted, vertex);
}

Status ImageFetcher::fetch_lost_blobs(Image& image, const solver::VertexId& vertex) {
  const std::lock_guard lock(image.fetching);
  std::vector<const Layer*> lost;
  for (const Layer& layer : image.layers) {
    const auto original = TRY(deps_.layers.original_blob(layer.diff_id));
    const bool is_lost = original ? !TRY(deps_.content.stat(original->digest)) : !layer.changes;
    if (layer.blob && is_lost) {
      lost.push_back(&layer);
    }
  }
  return fetch_blobs(image, lost, vertex);
}

Status ImageFetcher::fetch_blobs(const Image& image, const std::vector<const Layer*>& layers,
                                 const solver::VertexId& vertex) {
  for (const Layer* layer : layers) {
    TRY(check_layer_type(*layer).context(image.name));
  }
  return deps_.lanes
      .fan_out(Lane::Net, layers.size(),
               [&](std::size_t i) { return fetch_blob(image, *layers[i], vertex); })
      .context(image.name);
}

Status ImageFetcher::fetch_blob(const Image& image, const Layer& layer,
                                const solver::VertexId& vertex) {
  TRY(blobs_.ensure(want(image, layer, vertex)));
  const auto known = TRY(deps_.layers.original_blob(layer.diff_id));
  if (known && known->digest == layer.blob->digest) {
    return {};
  }
  FileSource blob(TRY(deps_.content.open(layer.blob->digest)));
  TRY(check_diff_id(blob, layer.diff_id).context("layer " + layer.blob->digest.str()));
  return deps_.layers.add_original_blob(layer.diff_id, *layer.blob);
}

}  // namespace mybuild::source

// SPDX-License-Identifier: Apache-2.0
// Blobs: layers as they came or were compressed, configs and manifests, bodies of URLs.
#include "builder/space/shelf.h"
#include "snapshotter/oci/descriptor.h"

#include <algorithm>
#include <unordered_map>

namespace mybuild::space {

namespace {

/// A blob that nothing refers to may be one of a pull that still runs.
constexpr std::int64_t kYoung = 60;
/// What file systems give out at least.
constexpr std::uint64_t kBlock = 4096;
constexpr std::string_view kOriginal = "original";

class BlobShelf final : public Shelf {
 public:
  explicit BlobShelf(const StoreParts& parts) : parts_(parts) {}
  Place place() const override { return Place::Blob; }
  bool is_rooted() const override { return true; }

  Result<std::vector<Item>> items(const Needed& needed) override {
    TRY(learn());
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.now().time_since_epoch())
            .count();
    std::vector<Item> items;
    TRY(parts_.content.walk([&](const snapshotter::BlobInfo& blob) -> Status {
      Item item{.place = Place::Blob,
                .id = blob.digest.hex(),
                .size = (blob.size + kBlock - 1) / kBlock * kBlock,
                .created = 0,
                .last_used = blob.last_used,
                .needed = needed.blobs.contains(blob.digest)};
      describe(item, blob.digest, needed, now);
      items.push_back(std::move(item));
      return {};
    }));
    return items;
  }

  Status remove(std::span<const Item> items, const OnRemoved& on_removed) override {
    for (const Item& item : items) {
      const Digest digest = TRY(Digest::parse("sha256:" + item.id));
      if (TRY(parts_.content.remove_unused(digest))) {
        TRY(forget(digest));
        on_removed(item);
      }
    }
    return {};
  }

 private:
  Status learn() {
    rows_.clear();
    files_.clear();
    pulled_.clear();
    for (snapshotter::LayerBlobRow& row : TRY(parts_.metadata.layer_blobs())) {
      const Digest digest = row.blob.digest;
      rows_[digest].push_back(std::move(row));
    }
    for (const snapshotter::HttpFileRow& row : TRY(parts_.metadata.http_files())) {
      files_[row.content].push_back(row.request);
    }
    for (const snapshotter::ResolvedRow& row : TRY(parts_.metadata.resolved())) {
      TRY(add_pulled(row.manifest));
    }
    return {};
  }

  /// What a tag that was resolved leads to, as far as it is here.
  Status add_pulled(const Digest& manifest) {
    if (!pulled_.insert(manifest).second) {
      return {};
    }
    const std::optional<std::string> text = TRY(peek_blob(parts_.root, manifest));
    if (!text) {
      return {};
    }
    if (const Result<oci::Manifest> parsed = oci::parse_manifest(*text)) {
      pulled_.insert(parsed->config.digest);
      for (const oci::Descriptor& layer : parsed->layers) {
        pulled_.insert(layer.digest);
      }
    } else if (const Result<oci::Index> index = oci::parse_index(*text)) {
      for (const oci::Descriptor& child : index->manifests) {
        TRY(add_pulled(child.digest));
      }
    }
    return {};
  }

  void describe(Item& item, const Digest& digest, const Needed& needed, std::int64_t now) const {
    const auto rows = rows_.find(digest);
    if (rows != rows_.end()) {
      const auto is_original = [](const auto& row) { return row.format == kOriginal; };
      const auto is_needed = [&](const auto& row) { return needed.layers.contains(row.diff_id); };
      const bool came = std::any_of(rows->second.begin(), rows->second.end(), is_original);
      item.derived = !came && std::any_of(rows->second.begin(), rows->second.end(), is_needed);
      item.type = came ? ItemType::Image : item.derived ? ItemType::Internal : ItemType::Regular;
      item.description = came ? "layer of a base image, compressed" : "layer, compressed here";
    } else if (files_.contains(digest)) {
      item.type = ItemType::Http;
      item.description = "file behind a URL";
    } else if (pulled_.contains(digest)) {
      item.type = ItemType::Image;
      item.description = "manifest or config of a base image";
    } else if (item.needed) {
      item.type = ItemType::Regular;
      item.description = "manifest or config of an image";
    } else {
      item.type = ItemType::Internal;
      item.description = "blob that nothing refers to";
      item.in_use = now - item.last_used < kYoung;
    }
  }

  /// Rows that lead to the blob. That of a layer as it came stays: it says where to get it again.
  Status forget(const Digest& digest) {
    if (const auto rows = rows_.find(digest); rows != rows_.end()) {
      for (const snapshotter::LayerBlobRow& row : rows->second) {
        if (row.format != kOriginal) {
          TRY(parts_.metadata.forget_layer_blob(row.diff_id, row.format));
        }
      }
    }
    if (const auto files = files_.find(digest); files != files_.end()) {
      for (const Digest& request : files->second) {
        TRY(parts_.metadata.forget_http_file(request));
      }
    }
    return {};
  }

  const StoreParts parts_;
  std::unordered_map<Digest, std::vector<snapshotter::LayerBlobRow>> rows_;
  std::unordered_map<Digest, std::vector<Digest>> files_;  // requests by what they gave
  std::unordered_set<Digest> pulled_;
};

}  // namespace

std::unique_ptr<Shelf> make_blob_shelf(const StoreParts& parts) {
  return std::make_unique<BlobShelf>(parts);
}

}  // namespace mybuild::space

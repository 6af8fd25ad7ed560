// SPDX-License-Identifier: Apache-2.0
// In-memory stand-ins for what the image resolver talks to. Thread-safe.
#pragma once

#include "builder/registry/client.h"
#include "snapshotter/archive/codec.h"
#include "snapshotter/layer_store.h"
#include "snapshotter/metadata.h"
#include "solver/progress.h"
#include "tests/source/test_image.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace mybuild::source {

class FakeRegistry final : public registry::RegistryClient {
 public:
  Result<std::vector<oci::Reference>> full_names(const oci::Reference& reference) override {
    return reference.implied_domain && !meanings.empty() ? meanings : std::vector{reference};
  }
  Result<registry::ManifestDocument> manifest(const oci::Reference& reference,
                                              const Cancel&) override {
    ++manifest_requests;
    const auto tag = tags.find(reference.str());
    const auto digest = reference.digest    ? reference.digest
                        : tag == tags.end() ? std::nullopt
                                            : std::optional(tag->second);
    if (down || !digest || !blobs.contains(*digest)) {
      return down ? make_error(ErrorKind::Unavailable, "connection refused")
                  : not_found("{}: not in the registry", reference.str());
    }
    const std::string& text = blobs.at(*digest);
    return registry::ManifestDocument{*digest, oci::document_media_type(text).value(), text};
  }

  Result<Digest> current(const oci::Reference& reference, const Cancel& cancel) override {
    ++current_requests;
    --manifest_requests;  // which the next one counts
    return TRY(manifest(reference, cancel))
    .digest;
  }

  Status blob(const oci::Reference&, const oci::Descriptor& descriptor, Sink& sink,
              const Cancel&) override {
    {
      const std::lock_guard lock(mutex);
      blob_requests.push_back(descriptor.digest);
    }
    if (on_blob) {
      TRY(on_blob(descriptor));
    }
    const auto found = blobs.find(descriptor.digest);
    if (down || found == blobs.end()) {
      return not_found("blob {}: not in the registry", descriptor.digest.str());
    }
    return sink.write(as_bytes(found->second));
  }

  std::vector<oci::Reference> meanings;  // of every name without a registry
  std::map<std::string, Digest> tags;
  Blobs blobs;
  std::function<Status(const oci::Descriptor&)> on_blob;
  std::atomic<bool> down{false};
  std::atomic<int> manifest_requests{0};
  std::atomic<int> current_requests{0};
  std::mutex mutex;
  std::vector<Digest> blob_requests;
};

/// Knows trees by diff id; unpacking reads the blob and checks it, as the real one does.
class FakeLayerStore final : public snapshotter::LayerStore {
 public:
  Result<TempDir> scratch() override { return TempDir::create(); }
  void discard(TempDir) override {}
  Result<std::optional<std::string>> tree(std::span<const Digest> chain) override {
    const std::lock_guard lock(mutex);
    return present.contains(chain.back()) ? std::optional("/tree/" + chain.back().hex())
                                          : std::nullopt;
  }
  Result<std::optional<std::vector<std::string>>> trees_of(std::span<const Digest> chain) {
    std::vector<std::string> paths;
    for (std::size_t count = 1; count <= chain.size(); ++count) {
      const std::optional<std::string> path = TRY(tree(chain.first(count)));
      if (!path) {
        return std::optional<std::vector<std::string>>();
      }
      paths.push_back(*path);
    }
    return std::optional(std::move(paths));
  }
  Result<std::optional<std::vector<std::string>>> trees(std::span<const Digest> chain) override {
    return trees_of(chain);
  }
  Result<bool> has_layer_of(std::uint64_t) override { return true; }
  std::size_t damage_found() const override { return 0; }
  Result<std::vector<snapshotter::StoredTree>> stored_trees() override {
    return std::vector<snapshotter::StoredTree>();
  }
  Result<snapshotter::TreeCondition> check_tree(const snapshotter::StoredTree&) override {
    return snapshotter::TreeCondition::Whole;
  }
  Status drop_tree(const std::string&) override { return {}; }
  Result<std::vector<std::string>> remove_trees(std::span<const std::string>) override {
    return unsupported("fake");
  }
  Status empty_trash() override { return {}; }
  Status sync(std::int64_t) override { return {}; }
  Status unpack(const std::vector<snapshotter::LayerBlob>& chain, Lanes& lanes) override {
    std::vector<const snapshotter::LayerBlob*> missing;
    for (const snapshotter::LayerBlob& layer : chain) {
      const std::lock_guard lock(mutex);
      if (!present.contains(layer.diff_id)) {
        missing.push_back(&layer);
      }
    }
    return lanes.fan_out(Lane::Disk, missing.size(), [&](std::size_t i) -> Status {
      const auto blob = TRY(missing[i]->open());
      const auto tar = TRY(snapshotter::make_decompressor(*blob));
      const std::string bytes = TRY(read_all(*tar, 1 << 30));
      if (Digest::of(bytes) != missing[i]->diff_id) {
        return data_loss("not the diff id");
      }
      const std::lock_guard lock(mutex);
      unpacked.push_back(missing[i]->diff_id);
      present.insert(missing[i]->diff_id);
      return {};
    });
  }
  Result<snapshotter::Layer> commit_tree(const std::string&,
                                         std::span<const snapshotter::CompressionSpec>,
                                         const snapshotter::OnDraft&) override {
    return unsupported("fake");
  }
  Result<snapshotter::Layer> commit_changes(const snapshotter::ChangeRefs&,
                                            const snapshotter::EntryContents&,
                                            std::span<const snapshotter::CompressionSpec>,
                                            const snapshotter::OnDraft&) override {
    return unsupported("fake");
  }
  Status write_tar(const Digest&, Sink&) override { return unsupported("fake"); }
  Result<oci::Descriptor> ensure_blob(const Digest& diff_id, snapshotter::CompressionSpec,
                                      snapshotter::TarOptions, snapshotter::BlobChoice,
                                      const snapshotter::OnDraft&) override {
    return make_blob ? make_blob(diff_id) : unsupported("fake");
  }
  Status add_original_blobs(std::span<const snapshotter::Layer> layers) override {
    const std::lock_guard lock(mutex);
    for (const snapshotter::Layer& layer : layers) {
      originals[layer.diff_id] = *layer.blob;
    }
    return {};
  }
  Result<std::optional<oci::Descriptor>> original_blob(const Digest& diff_id) override {
    const std::lock_guard lock(mutex);
    const auto found = originals.find(diff_id);
    return found == originals.end() ? std::nullopt : std::optional(found->second);
  }
  Status adopt(std::span<const snapshotter::Layer> layers, Lanes&) override {
    const std::lock_guard lock(mutex);
    for (const snapshotter::Layer& layer : layers) {
      const auto known = real_changes.find(layer.diff_id);
      if (known != real_changes.end() && known->second != layer.changes) {
        return data_loss("other changes");
      }
    }
    return {};
  }
  Status add_imported_blobs(std::span<const snapshotter::Layer>) override { return {}; }
  Status forget_original_blobs(std::span<const Digest> diff_ids) override {
    const std::lock_guard lock(mutex);
    for (const Digest& diff_id : diff_ids) {
      originals.erase(diff_id);
    }
    return {};
  }

  std::map<Digest, Digest> real_changes;  // of layers that adopt() does not take as they are said
  std::function<Result<oci::Descriptor>(const Digest& diff_id)> make_blob;  // of ensure_blob()
  std::mutex mutex;
  std::set<Digest> present;
  std::vector<Digest> unpacked;
  std::map<Digest, oci::Descriptor> originals;
};

class FakeMetadata final : public snapshotter::Metadata {
 public:
  using Digests = std::optional<Digest>;
  Result<std::vector<std::string>> check() override { return std::vector<std::string>(); }
  Result<std::optional<snapshotter::LayerRow>> find_layer(const Digest& diff_id) override {
    const std::lock_guard lock(mutex);
    const auto found = known_layers.find(diff_id);
    return found == known_layers.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::vector<snapshotter::LayerRow>> layers() override { return layer_rows(); }
  Result<std::vector<snapshotter::LayerBlobRow>> layer_blobs() override {
    return std::vector<snapshotter::LayerBlobRow>();
  }
  Status put_blob_source(const std::string& domain, const std::string& repository,
                         const std::vector<Digest>& blobs) override {
    const std::lock_guard lock(mutex);
    for (const Digest& blob : blobs) {
      blob_sources[domain + " " + blob.str()] = repository;
    }
    return {};
  }
  Result<std::optional<std::string>> find_blob_source(const std::string& domain,
                                                      const Digest& blob) override {
    const std::lock_guard lock(mutex);
    const auto found = blob_sources.find(domain + " " + blob.str());
    return found == blob_sources.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::vector<snapshotter::BlobSourceRow>> find_blob_sources(const Digest& blob) override {
    const std::lock_guard lock(mutex);
    std::vector<snapshotter::BlobSourceRow> rows;
    for (const auto& [key, repository] : blob_sources) {
      const std::size_t space = key.find(' ');
      if (key.substr(space + 1) == blob.str()) {
        rows.push_back({.domain = key.substr(0, space), .repository = repository});
      }
    }
    return rows;
  }
  Status put_layer_blobs(std::span<const snapshotter::LayerBlobRow>) override { return {}; }
  Result<std::optional<oci::Descriptor>> find_layer_blob(const Digest&,
                                                         const std::string&) override {
    return std::optional<oci::Descriptor>();
  }
  Status forget_layer_blobs(std::span<const Digest>, const std::string&) override { return {}; }
  Status put_image(const snapshotter::ImageRow& row) override {
    const std::lock_guard lock(mutex);
    names[row.name] = row;
    return {};
  }
  Result<std::optional<snapshotter::ImageRow>> find_image_by_name(
      const std::string& name) override {
    const std::lock_guard lock(mutex);
    const auto found = names.find(name);
    return found == names.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::vector<snapshotter::ImageRow>> find_images_by_config(const Digest&) override {
    return std::vector<snapshotter::ImageRow>();
  }
  Result<std::vector<snapshotter::ImageRow>> images() override {
    return std::vector<snapshotter::ImageRow>();
  }
  Status remove_image(const std::string&, const Digest&) override { return {}; }
  Status put_repo_digest(const snapshotter::RepoDigestRow&) override { return {}; }
  Result<std::vector<snapshotter::RepoDigestRow>> find_repo_digests(const Digest&) override {
    return std::vector<snapshotter::RepoDigestRow>();
  }
  Result<std::optional<Digest>> find_image_by_digest(const std::string&, const Digest&) override {
    return std::optional<Digest>();
  }
  Status remove_repo_digests(const Digest&) override { return {}; }
  Result<std::vector<snapshotter::RepoDigestRow>> repo_digests() override {
    return std::vector<snapshotter::RepoDigestRow>();
  }
  Status put_http_file(const snapshotter::HttpFileRow&) override { return {}; }
  Result<std::optional<snapshotter::HttpFileRow>> find_http_file(const Digest&) override {
    return std::optional<snapshotter::HttpFileRow>();
  }
  Status put_resolved(const snapshotter::ResolvedRow& row) override {
    const std::lock_guard lock(mutex);
    tags[row.reference + " " + row.platform] = row.manifest;
    return {};
  }
  Result<std::optional<Digest>> find_resolved(const std::string& reference,
                                              const std::string& platform) override {
    const std::lock_guard lock(mutex);
    const auto found = tags.find(reference + " " + platform);
    return found == tags.end() ? std::nullopt : std::optional(found->second);
  }
  Result<std::vector<snapshotter::ResolvedRow>> resolved() override {
    return std::vector<snapshotter::ResolvedRow>();
  }
  Status forget_resolved(const std::string&, const std::string&) override { return {}; }
  Result<std::vector<snapshotter::HttpFileRow>> http_files() override {
    return std::vector<snapshotter::HttpFileRow>();
  }
  Status forget_http_file(const Digest&) override { return {}; }
  Status put_git_tree(const snapshotter::GitTreeRow&) override { return {}; }
  Result<std::optional<snapshotter::GitTreeRow>> find_git_tree(const Digest&) override {
    return std::optional<snapshotter::GitTreeRow>();
  }
  Result<std::vector<snapshotter::GitTreeRow>> git_trees() override {
    return std::vector<snapshotter::GitTreeRow>();
  }
  Status put_known_build(const Digest&, const std::string&) override { return {}; }
  Result<std::optional<std::string>> find_known_build(const Digest&) override {
    return std::optional<std::string>();
  }
  Status forget_known_builds() override { return {}; }
  Status put_records(std::span<const snapshotter::RecordRow>) override { return {}; }
  Result<std::vector<std::vector<snapshotter::RecordRow>>> find_records_by_definition(
      std::span<const Digest> keys) override {
    return std::vector<std::vector<snapshotter::RecordRow>>(keys.size());
  }
  Result<std::vector<snapshotter::RecordRow>> find_records_by_content(const Digest&) override {
    return none();
  }
  Result<std::vector<snapshotter::RecordRow>> find_records_by_output(const Digest&) override {
    return none();
  }
  Result<std::uint64_t> record_count() override { return std::uint64_t{0}; }
  Status forget_records() override { return {}; }
  Status forget_records_since(std::int64_t) override { return {}; }
  snapshotter::TreeTable& trees() override { throw std::logic_error("no trees here"); }
  snapshotter::BuildTables& builds() override { throw std::logic_error("no builds here"); }

  std::mutex mutex;
  std::map<std::string, snapshotter::ImageRow> names;
  std::map<Digest, snapshotter::LayerRow> known_layers;
  std::map<std::string, Digest> tags;
  std::map<std::string, std::string> blob_sources;

 private:
  std::vector<snapshotter::LayerRow> layer_rows() const {
    std::vector<snapshotter::LayerRow> rows;
    for (const auto& [diff_id, row] : known_layers) {
      rows.push_back(row);
    }
    return rows;
  }
  static std::vector<snapshotter::RecordRow> none() { return {}; }
};

class RecordedEvents final : public solver::EventSink {
 public:
  void on_event(solver::Event event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  template <class Kind>
  std::vector<Kind> all() {
    const std::lock_guard lock(mutex_);
    std::vector<Kind> list;
    for (const solver::Event& event : events_) {
      if (const Kind* one = std::get_if<Kind>(&event)) {
        list.push_back(*one);
      }
    }
    return list;
  }

 private:
  std::mutex mutex_;
  std::vector<solver::Event> events_;
};

}  // namespace mybuild::source

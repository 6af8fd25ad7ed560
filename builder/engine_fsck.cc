// SPDX-License-Identifier: Apache-2.0
// Engine::fsck: looks through the store while others may use it. Everything that is looked at is
// leased first, so nobody takes it away meanwhile; what comes or goes between two looks is no
// damage.
#include "builder/engine.h"
#include "builder/fsck.h"
#include "builder/internal_step.h"
#include "builder/services.h"
#include "snapshotter/reserve.h"

#include <atomic>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>

namespace mybuild::builder {

namespace {

using snapshotter::ImageRow;
using snapshotter::StoredTree;
using snapshotter::TreeCondition;

class Fsck {
 public:
  Fsck(Engine::Services& own, bool repair, solver::EventSink& events, const Cancel& cancel)
      : own_(own), repair_(repair), events_(events), cancel_(cancel) {}

  Result<FsckReport> run() {
    TRY(check_database());
    TRY(check_blobs());
    TRY(check_trees());
    TRY(check_images());
    TRY(check_containers());
    report_.records = TRY(own_.metadata->record_count());
    return std::move(report_);
  }

 private:
  /// A container's own files must not go with the layer it stands on, and a database is replaced
  /// when it is opened.
  void found(std::string type, std::string id, std::string problem, bool repaired,
             bool can_be_repaired = true) {
    const std::lock_guard lock(mutex_);
    const bool type_can = type != "container" && type != "database" && can_be_repaired;
    report_.damage.push_back({.type = std::move(type),
                              .id = std::move(id),
                              .problem = std::move(problem),
                              .can_be_repaired = type_can,
                              .repaired = repaired});
  }

  /// `body` for each index, on the disk lane, shown as one step that reads so many bytes each.
  Status each(const std::string& name, const std::vector<std::uint64_t>& sizes,
              const std::function<Status(std::size_t)>& body) {
    const std::uint64_t total = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
    InternalStep step("checking " + name, events_, own_.clock);
    std::atomic<std::uint64_t> done = 0;
    return step.done(own_.lanes.fan_out(Lane::Disk, sizes.size(), [&](std::size_t i) -> Status {
      TRY(cancel_.check());
      TRY(body(i));
      const std::uint64_t now = done += sizes[i];
      events_.on_event(solver::Progress{.vertex = step.id(),
                                        .item = name,
                                        .current = now,
                                        .total = total,
                                        .done = now == total,
                                        .time = own_.clock.now()});
      return {};
    }));
  }

  Status check_database() {
    for (const std::string& problem : TRY(own_.metadata->check())) {
      found("database", "state.db", problem, false);
    }
    return {};
  }

  Status check_blobs() {
    std::vector<snapshotter::BlobInfo> blobs;
    TRY(own_.content->walk([&](const snapshotter::BlobInfo& blob) -> Status {
      blobs.push_back(blob);
      return {};
    }));
    report_.blobs = blobs.size();
    std::vector<std::uint64_t> sizes;
    for (const snapshotter::BlobInfo& blob : blobs) {
      sizes.push_back(blob.size);
      report_.blob_bytes += blob.size;
    }
    return each("blobs", sizes, [&](std::size_t i) -> Status {
      const Digest& digest = blobs[i].digest;
      if (!TRY(own_.content->verify(digest))) {
        if (repair_) {
          TRY(own_.content->remove(digest));
        }
        found("blob", digest.str(), "its bytes have another digest", repair_);
      }
      return {};
    });
  }

  Status check_trees() {
    const std::vector<StoredTree> trees = TRY(own_.layers->stored_trees());
    std::vector<std::uint64_t> sizes;
    for (const StoredTree& tree : trees) {
      sizes.push_back(tree.size);
      report_.layer_bytes += tree.size;
    }
    report_.layers = trees.size();
    return each("layers", sizes, [&](std::size_t i) -> Status {
      const TreeCondition condition = TRY(own_.layers->check_tree(trees[i]));
      if (condition != TreeCondition::Changed) {
        return {};
      }
      if (repair_) {
        TRY(own_.layers->drop_tree(trees[i].name));
      }
      found("layer", "layers/" + trees[i].name, "its files are not those it was made with",
            repair_);
      return {};
    });
  }

  /// Whether the files of a chain are here or can be unpacked from what is here; else the layer
  /// that is missing.
  Result<std::optional<Digest>> missing_layer(std::span<const Digest> chain) {
    for (std::size_t count = 1; count <= chain.size(); ++count) {
      if (TRY(own_.layers->tree(chain.first(count)))) {
        continue;
      }
      const std::optional<oci::Descriptor> blob = TRY(own_.layers->original_blob(chain[count - 1]));
      if (!blob || !TRY(own_.content->stat(blob->digest))) {
        return std::optional(chain[count - 1]);
      }
    }
    return std::optional<Digest>();
  }

  Status check_images() {
    std::set<Digest> seen;
    for (const ImageRow& row : TRY(own_.metadata->images())) {
      if (!seen.insert(row.config).second) {
        continue;
      }
      ++report_.images;
      const std::string shown = row.name.empty() ? row.config.str() : row.name;
      const Result<std::string> text = own_.content->read(row.config);
      const Result<oci::ImageConfig> config =
          text ? oci::parse_image_config(*text) : Result<oci::ImageConfig>(text.error());
      if (!config) {
        TRY(lose_image(row, shown, "its config is not in the store any more"));
        continue;
      }
      if (const std::optional<Digest> missing = TRY(missing_layer(config->diff_ids))) {
        TRY(lose_image(row, shown, "layer " + missing->str() + " is not in the store any more"));
        continue;
      }
      TRY(check_blobs_of(config->diff_ids, shown));
    }
    return {};
  }

  /// Layers from outside cannot be packed as they came; prune keeps their blobs while an image has
  /// them.
  Status check_blobs_of(const std::vector<Digest>& layers, const std::string& shown) {
    std::size_t lost = 0;
    for (const Digest& layer : layers) {
      const auto row = TRY(own_.metadata->find_layer(layer));
      const std::optional<oci::Descriptor> blob = TRY(own_.layers->original_blob(layer));
      const bool is_own = row && row->changes;
      lost += !is_own && !(blob && TRY(own_.content->stat(blob->digest))) ? 1 : 0;
    }
    if (lost > 0) {
      found(
          "image", shown,
          fmt::format("it runs, but the compressed form of {} of its layers is gone: save and push "
                      "need the registry that has it; load or pull it again",
                      lost),
          false, false);
    }
    return {};
  }

  /// An image of which a part is gone cannot be mended here: its name goes, so that `run` pulls it
  /// or says that it is not there.
  Status lose_image(const ImageRow& row, const std::string& shown, const std::string& problem) {
    if (repair_) {
      for (const ImageRow& name : TRY(own_.metadata->find_images_by_config(row.config))) {
        TRY(own_.metadata->remove_image(name.name, name.config));
      }
    }
    found("image", shown, problem + "; build or pull it again", repair_);
    return {};
  }

  Status check_containers() {
    for (const run::Container& container : TRY(own_.containers->list())) {
      ++report_.containers;
      if (const std::optional<Digest> missing = TRY(missing_layer(container.record.layers))) {
        const std::string& name = container.record.name;
        found("container", name,
              fmt::format("layer {} is not in the store any more; build or pull {} again, or "
                          "`mybuild rm {}`",
                          missing->str(), container.record.image, name),
              false);
      }
    }
    return {};
  }

  Engine::Services& own_;
  const bool repair_;
  solver::EventSink& events_;
  const Cancel& cancel_;
  std::mutex mutex_;
  FsckReport report_;
};

}  // namespace

Result<FsckReport> Engine::fsck(bool repair, solver::EventSink& events, const Cancel& cancel) {
  std::optional<snapshotter::OpenReserve> reserve;
  if (repair) {
    reserve.emplace(services_->root);
  }
  return Fsck(*services_, repair, events, cancel).run();
}

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
// ImportedCache: the caches of one build, fetched all at once in the background from its start on.
// Who asks waits until one has the answer, each is there or has failed, or the time for it is over;
// the latter two are warnings and no more. It answers three questions: which records are there of a
// definition, which of a content key, and where is a layer. Thread-safe.
#pragma once

#include "builder/remote_cache/cache_reader.h"
#include "builder/remote_cache/record_source.h"
#include "builder/source/remote_layers.h"
#include "snapshotter/base/lanes.h"
#include "solver/progress.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace mybuild::remote_cache {

class ImportedCache final : public RecordSource {
 public:
  struct Deps {
    registry::RegistryClient& registry;
    snapshotter::Metadata& metadata;
    Lanes& lanes;
    solver::EventSink& events;
    const Clock& clock;
    Cancel& cancel;           // of the build
    const Cancel& downloads;  // of layers
  };
  /// Begins to fetch them. `bad`: sources that were found to lie, by number; they are left out.
  ImportedCache(std::vector<CacheSource> sources, std::vector<oci::Platform> platforms,
                std::set<std::size_t> bad, Deps deps);
  /// Ends what still runs.
  ~ImportedCache() override;
  ImportedCache(const ImportedCache&) = delete;
  ImportedCache& operator=(const ImportedCache&) = delete;

  std::vector<solver::CacheRecord> find(const solver::DefinitionKey& key) override;
  std::vector<solver::CacheRecord> find(const solver::ContentKey& key) override;
  std::optional<source::RemoteLayer> where(const Digest& diff_id) override;

  /// Nothing of this source is used any more. Beyond the sources, source `n + i` stands for the
  /// layers that source `i` of `n` only names: who needs one drops these and runs the steps.
  void distrust(std::size_t source, const Error& why);
  std::set<std::size_t> distrusted();

 private:
  /// What came of one source.
  struct Imported {
    bool is_done = false;
    std::multimap<Digest, solver::CacheRecord> by_definition;
    std::map<Digest, std::vector<const solver::CacheRecord*>> by_content;  // into by_definition
    std::map<Digest, oci::Descriptor> layers;
    source::BlobOrigin origin;
  };
  void fetch(std::size_t index);
  Status fetch_shown(std::size_t index, Imported& imported);
  bool is_dropped(std::size_t source);
  Status remember_places(const CacheSource& source, const Imported& imported);
  void wait();
  /// Asks each source once as it comes, until one has found something.
  void ask(const std::function<bool(std::size_t source)>& found);
  void give_up();

  const std::vector<CacheSource> sources_;
  const std::vector<oci::Platform> platforms_;
  const Deps deps_;
  Cancel cancel_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::vector<Imported> imported_;
  std::set<std::size_t> bad_;
  bool patient_ = true;
  std::chrono::steady_clock::time_point deadline_;  // for all sources
};

}  // namespace mybuild::remote_cache

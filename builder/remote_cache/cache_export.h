// SPDX-License-Identifier: Apache-2.0
// CacheExport: the --cache-to of one build. Layers of steps that are recorded are compressed and
// sent while the build goes on, a few at a time, for targets that take all steps; finish() does
// what is left, and the documents. begin() may be called from several threads.
#pragma once

#include "builder/remote_cache/cache_writer.h"
#include "builder/remote_cache/exported_steps.h"
#include "builder/source/remote_layers.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace mybuild::remote_cache {

class CacheExport {
 public:
  /// `imported` knows layers that came from another cache, and may be null. Arguments outlive the
  /// object.
  CacheExport(const std::vector<CacheTarget>& targets, const exporter::ExportDeps& deps,
              source::RemoteLayers* imported);
  /// Stops what begin() left running, and waits for its end.
  ~CacheExport();
  CacheExport(const CacheExport&) = delete;
  CacheExport& operator=(const CacheExport&) = delete;

  /// A step was recorded. Errors show in finish().
  void begin(const solver::CacheRecord& record);
  /// `all`: the steps of the build; `image`: those whose layers are in its images. The error of the
  /// first target that must not fail; of others there is a warning.
  Status finish(const std::vector<ExportedStep>& all, const std::vector<ExportedStep>& image);

 private:
  class Silence;
  struct Early;
  void work();
  Status early(const Digest& diff_id);
  void stop_early();
  Status write(const CacheTarget& target, const std::vector<ExportedStep>& steps);
  Status write_shown(const CacheTarget& target, const std::vector<ExportedStep>& steps,
                     const solver::VertexId& vertex);
  Result<oci::Descriptor> write_layer(const CacheTarget& target, const snapshotter::Layer& layer,
                                      CacheWriter& writer);
  std::string title_of(const CacheTarget& target) const;

  std::vector<CacheTarget> targets_;  // without inline ones
  exporter::ExportDeps deps_;
  source::RemoteLayers* const imported_;
  const std::unique_ptr<Silence> silence_;
  exporter::ExportDeps quiet_deps_;
  std::vector<std::unique_ptr<CacheWriter>>
      early_writers_;  // by target; null: it takes no early ones
  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<Digest> waiting_;
  std::size_t workers_ = 0;
  bool is_over_ = false;  // nothing more is begun
};

}  // namespace mybuild::remote_cache

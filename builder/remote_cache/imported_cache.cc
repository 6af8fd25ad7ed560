// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/imported_cache.h"

#include "builder/ops/trees.h"
#include "snapshotter/base/log.h"

#include <algorithm>

namespace mybuild::remote_cache {

namespace {

solver::CacheRecord make_record(const CachedRecord& record, const CachedLayer& layer) {
  ops::StepLayer step{.layer = {}, .created = record.created.value_or(layer.created)};
  step.layer.diff_id = layer.place->diff_id;
  step.layer.changes = layer.changes;
  step.layer.size = layer.size;
  return {.definition = record.definition,
          .content = record.content,
          .inputs = record.inputs,
          .output = {},
          .body = ops::dump_body(step),
          .is_imported = true};
}

}  // namespace

ImportedCache::ImportedCache(std::vector<CacheSource> sources, std::vector<oci::Platform> platforms,
                             std::set<std::size_t> bad, Deps deps)
    : sources_(std::move(sources)),
      platforms_(std::move(platforms)),
      deps_(deps),
      cancel_(deps.cancel),
      imported_(sources_.size()),
      bad_(std::move(bad)) {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (bad_.contains(i)) {
      imported_[i].is_done = true;
    } else {
      deps_.lanes.post(Lane::Net, [this, i] { fetch(i); });
    }
  }
}

ImportedCache::~ImportedCache() {
  cancel_.request(Error(ErrorKind::Cancelled, "the build is over"));
  wait();
}

void ImportedCache::wait() {
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] {
    return std::all_of(imported_.begin(), imported_.end(),
                       [](const Imported& imported) { return imported.is_done; });
  });
}

void ImportedCache::fetch(std::size_t index) {
  const std::string name = name_of(sources_[index]);
  const std::string title = "importing cache manifest from " + name;
  const solver::VertexId vertex = solver::internal_vertex(title);
  Imported imported;
  Status fetched = cancel_.check();
  if (fetched) {
    deps_.events.on_event(solver::VertexStarted{vertex, title, deps_.clock.now()});
    fetched = fetch_shown(index, imported);
    deps_.events.on_event(solver::VertexDone{vertex, deps_.clock.now(), std::nullopt});
  }
  if (!fetched) {
    imported = {};
    if (!cancel_.requested()) {
      deps_.events.on_event(solver::Warning{.message = title + ": " + fetched.error().message(),
                                            .detail = fetched.error().hint(),
                                            .location = {}});
    }
  }
  imported.is_done = true;
  const std::lock_guard lock(mutex_);
  imported_[index] = std::move(imported);
  done_.notify_all();
}

Status ImportedCache::fetch_shown(std::size_t index, Imported& imported) {
  const CacheSource& source = sources_[index];
  ReadCache cache = TRY(
      read_cache(source, platforms_,
                 {.registry = deps_.registry, .cancel = cancel_, .downloads = deps_.downloads}));
  for (const CacheDocument& document : cache.documents) {
    for (const CachedLayer& layer : document.layers) {
      imported.layers.emplace(layer.place->diff_id, layer.place->blob);
    }
    for (const CachedRecord& record : document.records) {
      const auto put = imported.by_definition.emplace(
          record.definition.digest, make_record(record, document.layers[record.layer]));
      if (!record.content.digest.is_zero()) {
        imported.by_content[record.content.digest].push_back(&put->second);
      }
    }
  }
  imported.origin = std::move(cache.origin);
  return remember_places(source, imported);
}

/// A push to the same registry mounts these.
Status ImportedCache::remember_places(const CacheSource& source, const Imported& imported) {
  if (source.type != CacheSource::Type::Registry) {
    return {};
  }
  std::vector<Digest> blobs;
  for (const auto& [diff_id, blob] : imported.layers) {
    blobs.push_back(blob.digest);
  }
  return deps_.metadata.put_blob_source(source.ref.domain, source.ref.repository, blobs);
}

std::vector<solver::CacheRecord> ImportedCache::find(const solver::DefinitionKey& key) {
  wait();
  const std::lock_guard lock(mutex_);
  std::vector<solver::CacheRecord> found;
  for (const Imported& imported : imported_) {
    const auto [first, last] = imported.by_definition.equal_range(key.digest);
    for (auto record = first; record != last; ++record) {
      found.push_back(record->second);
    }
  }
  return found;
}

std::vector<solver::CacheRecord> ImportedCache::find(const solver::ContentKey& key) {
  wait();
  const std::lock_guard lock(mutex_);
  std::vector<solver::CacheRecord> found;
  for (const Imported& imported : imported_) {
    if (const auto records = imported.by_content.find(key.digest);
        records != imported.by_content.end()) {
      for (const solver::CacheRecord* record : records->second) {
        found.push_back(*record);
      }
    }
  }
  return found;
}

std::optional<source::RemoteLayer> ImportedCache::where(const Digest& diff_id) {
  wait();
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < imported_.size(); ++i) {
    if (const auto layer = imported_[i].layers.find(diff_id); layer != imported_[i].layers.end()) {
      return source::RemoteLayer{.blob = layer->second, .origin = imported_[i].origin, .cache = i};
    }
  }
  return std::nullopt;
}

void ImportedCache::distrust(std::size_t source, const Error& why) {
  {
    const std::lock_guard lock(mutex_);
    if (!bad_.insert(source).second) {
      return;
    }
    imported_[source] = {};
    imported_[source].is_done = true;
  }
  deps_.events.on_event(solver::Warning{.message = "the cache imported from " +
                                                   name_of(sources_[source]) +
                                                   " is not used any more: " + why.message(),
                                        .detail = why.hint(),
                                        .location = {}});
}

std::set<std::size_t> ImportedCache::distrusted() {
  const std::lock_guard lock(mutex_);
  return bad_;
}

}  // namespace mybuild::remote_cache

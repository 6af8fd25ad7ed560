// SPDX-License-Identifier: Apache-2.0
#include "builder/remote_cache/imported_cache.h"

#include "builder/ops/trees.h"
#include "snapshotter/base/log.h"

#include <algorithm>
#include <chrono>

namespace mybuild::remote_cache {

namespace {

constexpr std::chrono::seconds kPatience{20};

solver::CacheRecord make_record(const CachedRecord& record, const CachedLayer& layer) {
  ops::StepLayer step{.layer = {}, .created = record.created.value_or(layer.created)};
  step.layer.diff_id = layer.place->diff_id;
  step.layer.changes = layer.changes;
  step.layer.size = layer.size;
  return imported_record(record.definition, record.content, record.inputs, step);
}

}  // namespace

ImportedCache::ImportedCache(std::vector<CacheSource> sources, std::vector<oci::Platform> platforms,
                             std::set<std::size_t> bad, Deps deps)
    : sources_(std::move(sources)),
      platforms_(std::move(platforms)),
      deps_(deps),
      cancel_(deps.cancel),
      imported_(sources_.size()),
      bad_(std::move(bad)),
      deadline_(std::chrono::steady_clock::now() + kPatience) {
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
  const bool takes_names = !is_dropped(sources_.size() + index);
  for (const CacheDocument& document : cache.documents) {
    for (const CachedLayer& layer : document.layers) {
      imported.layers.emplace(layer.place->diff_id, layer.place->blob);
    }
    for (const CachedRecord& record : document.records) {
      if (!takes_names && is_no_blob(document.layers[record.layer].place->blob)) {
        continue;
      }
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

bool ImportedCache::is_dropped(std::size_t source) {
  const std::lock_guard lock(mutex_);
  return bad_.contains(source);
}

/// A push to the same registry mounts these.
Status ImportedCache::remember_places(const CacheSource& source, const Imported& imported) {
  if (source.type != CacheSource::Type::Registry) {
    return {};
  }
  std::vector<Digest> blobs;
  for (const auto& [diff_id, blob] : imported.layers) {
    if (!is_no_blob(blob)) {
      blobs.push_back(blob.digest);
    }
  }
  return deps_.metadata.put_blob_source(source.ref.domain, source.ref.repository, blobs);
}

void ImportedCache::ask(const std::function<bool(std::size_t source)>& found) {
  std::unique_lock lock(mutex_);
  std::vector<bool> asked(imported_.size());
  for (;;) {
    bool is_found = false;
    bool all_done = true;
    for (std::size_t i = 0; i < imported_.size(); ++i) {
      all_done = all_done && imported_[i].is_done;
      if (imported_[i].is_done && !asked[i]) {
        asked[i] = true;
        is_found = found(i) || is_found;
      }
    }
    if (is_found || all_done || cancel_.requested() || !patient_) {
      return;
    }
    if (done_.wait_until(lock, deadline_) == std::cv_status::timeout) {
      give_up();
    }
  }
}

/// Steps wait no longer. What still comes is used by those that start later.
void ImportedCache::give_up() {
  patient_ = false;
  for (std::size_t i = 0; i < imported_.size(); ++i) {
    if (!imported_[i].is_done) {
      deps_.events.on_event(
          solver::Warning{.message = fmt::format("the build goes on without the cache of {}, which "
                                                 "did not answer in {} seconds",
                                                 name_of(sources_[i]), kPatience.count()),
                          .detail = {},
                          .location = {}});
    }
  }
}

std::vector<solver::CacheRecord> ImportedCache::find(const solver::DefinitionKey& key) {
  std::vector<solver::CacheRecord> found;
  ask([&](std::size_t source) {
    const auto [first, last] = imported_[source].by_definition.equal_range(key.digest);
    for (auto record = first; record != last; ++record) {
      found.push_back(record->second);
    }
    return first != last;
  });
  return found;
}

std::vector<solver::CacheRecord> ImportedCache::find(const solver::ContentKey& key) {
  std::vector<solver::CacheRecord> found;
  ask([&](std::size_t source) {
    const auto records = imported_[source].by_content.find(key.digest);
    if (records == imported_[source].by_content.end()) {
      return false;
    }
    for (const solver::CacheRecord* record : records->second) {
      found.push_back(*record);
    }
    return true;
  });
  return found;
}

std::optional<source::RemoteLayer> ImportedCache::where(const Digest& diff_id) {
  std::optional<source::RemoteLayer> place;
  ask([&](std::size_t source) {
    const Imported& imported = imported_[source];
    const auto layer = imported.layers.find(diff_id);
    if ((place && !place->is_named_only) || layer == imported.layers.end()) {
      return false;
    }
    const bool is_named = is_no_blob(layer->second);
    place = {.blob = layer->second,
             .origin = imported.origin,
             .cache = is_named ? sources_.size() + source : source,
             .is_named_only = is_named};
    return !is_named;
  });
  return place;
}

void ImportedCache::distrust(std::size_t source, const Error& why) {
  {
    const std::lock_guard lock(mutex_);
    if (!bad_.insert(source).second || source >= sources_.size()) {
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

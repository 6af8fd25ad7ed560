// SPDX-License-Identifier: Apache-2.0
// The engine's verbs about cache mounts.
#include "builder/caches/archive.h"
#include "builder/engine.h"
#include "builder/export/output_file.h"
#include "builder/internal_step.h"
#include "builder/services.h"
#include "snapshotter/archive/codec.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mybuild::builder {

namespace {

using caches::Cache;

/// What is asked for, each once.
Result<std::vector<Cache>> find_all(const caches::CacheStore& store,
                                    const std::vector<std::string>& names) {
  std::vector<Cache> all;
  for (const std::string& name : names) {
    for (Cache& cache : TRY(store.find(name))) {
      if (std::none_of(all.begin(), all.end(),
                       [&](const Cache& known) { return known.key == cache.key; })) {
        all.push_back(std::move(cache));
      }
    }
  }
  return all;
}

snapshotter::CompressionSpec compression_of(const std::string& dest) {
  using oci::Compression;
  return {.compression = dest.ends_with(".zst")  ? Compression::Zstd
                         : dest.ends_with(".gz") ? Compression::Gzip
                                                 : Compression::None,
          .level = {}};
}

/// A read that can be interrupted, also of a pipe that nobody writes to.
class CancellableSource final : public Source {
 public:
  CancellableSource(Fd fd, const Cancel& cancel) : fd_(std::move(fd)), cancel_(cancel) {}
  Result<std::size_t> read(MutableByteSpan buffer) override {
    struct pollfd either[] = {{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                              {.fd = cancel_.fd(), .events = POLLIN, .revents = 0}};
    while (::poll(either, 2, -1) < 0 && errno == EINTR) {
    }
    TRY(cancel_.check());
    return sys::read(fd_.get(), buffer);
  }

 private:
  const Fd fd_;
  const Cancel& cancel_;
};

}  // namespace

const caches::CacheStore& Engine::cache_mounts() {
  return *services_->cache_mounts;
}

Status Engine::export_cache_mounts(const std::vector<std::string>& names, const std::string& dest,
                                   solver::EventSink& events, const Cancel& cancel) {
  const std::vector<Cache> all = TRY(find_all(*services_->cache_mounts, names));
  InternalStep step("exporting cache mounts", events, services_->clock);
  const auto on_wait = [&](const Cache& cache) {
    events.on_event(solver::LogChunk{
        .vertex = step.id(),
        .stream = 2,
        .bytes = fmt::format("waiting for the cache mount \"{}\", which a step uses\n",
                             cache.record->identity.id),
        .time = services_->clock.now()});
  };
  const auto write = [&]() -> Status {
    exporter::OutputFile file = TRY(exporter::OutputFile::open(dest));
    const auto compressor = snapshotter::make_compressor(compression_of(dest), file);
    TRY(caches::export_caches(all, *compressor, on_wait, cancel));
    TRY(compressor->finish());
    return std::move(file).commit();
  };
  return step.done(write());
}

Result<std::vector<Cache>> Engine::import_cache_mounts(const std::string& path,
                                                       const std::optional<std::string>& id,
                                                       solver::EventSink& events,
                                                       const Cancel& cancel) {
  InternalStep step("importing cache mounts", events, services_->clock);
  const auto read = [&]() -> Result<std::vector<Cache>> {
    Fd file = path == "-" ? TRY(sys::dup(STDIN_FILENO)) : TRY(sys::open(path, O_RDONLY));
    CancellableSource source(std::move(file), cancel);
    const TempDir scratch = TRY(services_->layers->scratch());
    return caches::import_caches(source, *services_->cache_mounts, scratch.path(), id);
  };
  return step.done(read());
}

}  // namespace mybuild::builder

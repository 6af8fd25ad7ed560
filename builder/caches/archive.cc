// SPDX-License-Identifier: Apache-2.0
#include "builder/caches/archive.h"

#include "builder/caches/slots.h"
#include "builder/export/tree_walk.h"
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/layer_extractor.h"
#include "snapshotter/tree_view.h"

#include <linux/openat2.h>

namespace mybuild::caches {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;

constexpr const char* kIndexFile = "cache-mounts.json";
constexpr std::size_t kMaxIndex = 1024 * 1024;
constexpr std::int64_t kVersion = 1;
constexpr std::uint64_t kInside = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;

/// A name that the reader would take for a deletion.
bool is_mark(std::string_view path) {
  return path.starts_with(".wh.") || path.find("/.wh.") != std::string_view::npos;
}

/// All slots of the cache for us alone.
Result<std::vector<FileLock>> lock_for_reading(const Cache& cache, const OnWait& on_wait,
                                               const Cancel& cancel) {
  std::vector<FileLock> locks;
  bool told = false;
  for (const std::string& slot : cache.slots) {
    const std::string path = slot_lock_path(cache.dir, slot);
    std::optional<FileLock> lock = TRY(FileLock::try_acquire(path, FileLock::Mode::Exclusive));
    if (!lock) {
      if (!told) {
        on_wait(cache);
        told = true;
      }
      lock = TRY(FileLock::acquire(path, FileLock::Mode::Exclusive, cancel));
    }
    locks.push_back(std::move(*lock));
  }
  return locks;
}

/// What lies at `slot` of a cache's directory, as the member `name` and below.
class SlotWriter {
 public:
  SlotWriter(const snapshotter::TreeView& view, std::string slot, std::string name,
             snapshotter::TarWriter& tar, const Cancel& cancel)
      : view_(view), slot_(std::move(slot)), name_(std::move(name)), tar_(tar), cancel_(cancel) {}

  Status write() {
    std::optional<Entry> top = TRY(view_.lookup(slot_));
    if (!top) {
      return data_loss("the files of the cache were removed meanwhile");
    }
    const bool is_directory = top->type == EntryType::Directory;
    top->path = slot_;
    TRY(add(std::move(*top)));
    return is_directory ? exporter::walk_tree(
                              view_, [this](Entry entry) { return add(std::move(entry)); }, slot_)
                        : Status();
  }

 private:
  Status add(Entry entry) {
    TRY(cancel_.check());
    if (is_mark(entry.path)) {
      return invalid_argument("{}: names that begin with \".wh.\" cannot be exported", entry.path)
          .with_hint("rename or remove the file in a step that mounts the cache");
    }
    Entry member = entry;
    member.path.replace(0, slot_.size(), name_);
    if (member.type == EntryType::HardLink) {
      member.link.replace(0, slot_.size(), name_);
    }
    TRY(tar_.add(member));
    return entry.type == EntryType::File ? add_bytes(entry) : Status();
  }

  Status add_bytes(const Entry& entry) {
    struct Body final : Sink {
      explicit Body(snapshotter::TarWriter& writer) : writer_(writer) {}
      Status write(ByteSpan data) override { return writer_.write(data); }
      snapshotter::TarWriter& writer_;
    } body(tar_);
    FileSource bytes(TRY(view_.open(entry)));
    const std::uint64_t count = TRY(copy(bytes, body));
    return count == entry.size
               ? Status()
               : data_loss("{} has {} bytes, not {}", entry.path, count, entry.size);
  }

  const snapshotter::TreeView& view_;
  const std::string slot_;
  const std::string name_;
  snapshotter::TarWriter& tar_;
  const Cancel& cancel_;
};

std::string index_text(const std::vector<Cache>& caches) {
  Json list = Json::array();
  for (const Cache& cache : caches) {
    Json item = to_json(cache.record->identity);
    item["slots"] = cache.slots.size();
    list.push_back(std::move(item));
  }
  const Json index = {{"version", kVersion}, {"cache_mounts", std::move(list)}};
  return index.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// A cache that the archive has, and where its trees are.
struct Found {
  CacheIdentity identity;
  std::vector<std::string> trees;
};

/// No name of the archive is followed on the way there.
Status check_tree(int scratch, const std::string& path) {
  const Result<Fd> tree = sys::open_at2(scratch, path, O_PATH | O_NOFOLLOW, kInside);
  if (!tree) {
    return invalid_argument("the archive of cache mounts has no {}", path);
  }
  const struct stat info = TRY(sys::fstat(tree->get()));
  if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) {
    return invalid_argument("{} of the archive is neither a directory nor a file", path);
  }
  return {};
}

Result<std::vector<Found>> read_index(const std::string& scratch) {
  const Fd top = TRY(sys::open(scratch, O_RDONLY | O_DIRECTORY));
  Result<Fd> file = sys::open_at2(top.get(), kIndexFile, O_RDONLY | O_NONBLOCK, kInside);
  if (!file) {
    return invalid_argument("this is no archive of cache mounts: it has no {}", kIndexFile)
        .with_hint("`mybuild cache-mount export` makes one");
  }
  FileSource source(std::move(file).value());
  const std::string text = TRY(read_all(source, kMaxIndex).context(kIndexFile));
  const Json index = TRY(parse_json(text).context(kIndexFile));
  const JsonField fields(index, kIndexFile);
  const std::int64_t version = TRY(TRY(fields.field("version")).integer());
  if (version != kVersion) {
    return unsupported("archive of cache mounts: version {} is not known, only {}", version,
                       kVersion);
  }
  std::vector<Found> all;
  for (const JsonField& item : TRY(TRY(fields.field("cache_mounts")).items())) {
    Found found;
    found.identity = TRY(parse_identity(item.json()));
    const std::int64_t slots = TRY(TRY(item.field("slots")).integer());
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      const std::string path = fmt::format("{}/{}", all.size(), slot);
      TRY(check_tree(top.get(), path));
      found.trees.push_back(join_path(scratch, path));
    }
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace

Status export_caches(const std::vector<Cache>& caches, Sink& sink, const OnWait& on_wait,
                     const Cancel& cancel) {
  for (const Cache& cache : caches) {
    if (!cache.record) {
      return invalid_argument("cache mount {} is not called by any id yet",
                              cache.key.substr(0, kShortKey))
          .with_hint("it was made by an older version; the next build that uses it notes its id");
    }
  }
  snapshotter::TarWriter tar(sink);
  TRY(tar.add_file(kIndexFile, index_text(caches)));
  for (std::size_t number = 0; number < caches.size(); ++number) {
    const Cache& cache = caches[number];
    const std::vector<FileLock> locks = TRY(lock_for_reading(cache, on_wait, cancel));
    const auto view = TRY(snapshotter::open_directory_view(cache.dir));
    Entry folder;
    folder.path = std::to_string(number);
    folder.type = EntryType::Directory;
    folder.mode = 0700;
    TRY(tar.add(folder));
    for (std::size_t slot = 0; slot < cache.slots.size(); ++slot) {
      const std::string name = fmt::format("{}/{}", number, slot);
      TRY(SlotWriter(*view, cache.slots[slot], name, tar, cancel)
              .write()
              .context(fmt::format("export cache mount \"{}\"", cache.record->identity.id)));
    }
  }
  return tar.finish();
}

Result<std::vector<Cache>> import_caches(Source& archive, const CacheStore& store,
                                         const std::string& scratch,
                                         const std::optional<std::string>& id) {
  const snapshotter::ExtractedLayer read = TRY(snapshotter::extract_layer(archive, scratch));
  if (!read.needs.links.empty()) {
    return invalid_argument("{} of the archive is a link to {}, which is not in it",
                            read.needs.links.front().path, read.needs.links.front().target);
  }
  std::vector<Found> found = TRY(read_index(scratch));
  std::vector<Cache> caches;
  for (Found& cache : found) {
    cache.identity.id = id.value_or(cache.identity.id);
    caches.push_back(TRY(store.replace(cache.identity, cache.trees)));
  }
  return caches;
}

}  // namespace mybuild::caches

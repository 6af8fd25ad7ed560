// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/copy_plan.h"
#include "snapshotter/archive/tar_reader.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

namespace mybuild::ops {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TarReader;

namespace {

/// The planned tree with the destination as its root: links of an archive lead where they would in
/// a chroot there.
class Destination final : public snapshotter::TreeView {
 public:
  Destination(const StagedTree& tree, std::string root) : tree_(tree), root_(std::move(root)) {}
  const std::string& root() const { return root_; }
  std::string outside(std::string_view path) const { return join_path(root_, path); }

  Result<std::optional<Entry>> lookup(std::string_view path) const override {
    return tree_.lookup(outside(path));
  }
  Result<std::vector<std::string>> list(std::string_view path) const override {
    return tree_.list(outside(path));
  }
  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> hard_link_id(
      std::string_view path) const override {
    return tree_.hard_link_id(outside(path));
  }
  Result<Fd> open(const Entry& entry) const override { return tree_.open(entry); }

 private:
  const StagedTree& tree_;
  std::string root_;
};

class UnpackPlanner {
 public:
  UnpackPlanner(StagedTree& to, const CopyPlanOptions& options, const std::string& scratch)
      : to_(to), options_(options), scratch_(scratch), model_(made_directory(options)) {}

  Status run(TarReader& reader, std::optional<Entry> entry) {
    const std::string dest = TRY(to_.resolve(options_.dest));
    TRY(to_.make_dirs(dest, model_));
    dest_.emplace(to_, dest);
    while (entry) {
      if (!entry->path
               .empty()) {  // an entry for the root of the archive does not change the destination
        TRY(place(reader, std::move(*entry)));
      }
      entry = TRY(reader.next());
    }
    return {};
  }

 private:
  /// --chmod is for what is copied; it means nothing for archives and the directories around them.
  static Entry made_directory(CopyPlanOptions options) {
    options.mode.reset();
    return directory_model(options);
  }

  /// Where an entry lands; the directories that lead there are made.
  Result<std::string> locate(const std::string& path) {
    const std::string clean = clean_relative(path);
    const std::size_t slash = clean.rfind('/');
    if (slash == std::string::npos) {
      return dest_->outside(clean);
    }
    const std::string resolved = TRY(dest_->resolve(clean.substr(0, slash)));
    const std::string parent = dest_->outside(resolved);
    TRY(to_.make_dirs(parent, model_));
    return join_path(parent, clean.substr(slash + 1));
  }

  Status place(TarReader& reader, Entry entry) {
    const std::string name = entry.path;
    entry.path = TRY(locate(name));
    entry.mtime = entry.mtime.tv_sec < 0 ? timespec{} : entry.mtime;
    if (options_.owner) {
      entry.uid = options_.owner->uid;
      entry.gid = options_.owner->gid;
    }
    if (entry.type == EntryType::HardLink) {
      return link(entry, name);
    }
    if (entry.type != EntryType::File) {
      return to_.replace(std::move(entry), {});
    }
    const std::string spool = join_path(scratch_, fmt::format("{}", ++files_));
    entry.content = TRY(save(reader, spool));
    return to_.replace(std::move(entry), [spool] { return sys::open(spool, O_RDONLY); });
  }

  /// A hard link to something in the archive, or to a file that the tree has already. What the
  /// link's own header says is true of the file from then on.
  Status link(const Entry& entry, const std::string& name) {
    const std::string first = TRY(locate(entry.link));
    const Status linked = to_.link(first, entry.path);
    if (!linked && linked.error().kind() == ErrorKind::NotFound) {
      return invalid_argument("archive entry {} is a hard link to {}, which is not there", name,
                              entry.link);
    }
    TRY(Status(linked));
    to_.set_metadata(entry.path, entry);
    return {};
  }

  Result<Digest> save(TarReader& reader, const std::string& path) {
    const Fd file = TRY(sys::open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
    Hasher hasher;
    std::vector<std::byte> buffer(128 * 1024);
    for (;;) {
      const std::size_t count = TRY(reader.read(buffer));
      if (count == 0) {
        return hasher.finish();
      }
      hasher.update(ByteSpan(buffer).first(count));
      TRY(sys::write_all(file.get(), ByteSpan(buffer).first(count)));
    }
  }

  StagedTree& to_;
  const CopyPlanOptions& options_;
  const std::string& scratch_;
  const Entry model_;
  std::optional<Destination> dest_;
  std::size_t files_ = 0;
};

/// Hashes what it passes on.
class HashedSource final : public Source {
 public:
  explicit HashedSource(Source& from) : from_(from) {}
  Result<std::size_t> read(MutableByteSpan buffer) override {
    const std::size_t count = TRY(from_.read(buffer));
    hasher_.update(ByteSpan(buffer).first(count));
    return count;
  }
  /// What nobody read counts, too.
  Result<Digest> finish() {
    std::vector<std::byte> rest(64 * 1024);
    while (TRY(read(rest)) > 0) {
    }
    return hasher_.finish();
  }

 private:
  Source& from_;
  Hasher hasher_;
};

}  // namespace

Result<bool> plan_unpack(StagedTree& to, const snapshotter::TreeView& from, const Entry& file,
                         const CopyPlanOptions& options, const std::string& scratch) {
  FileSource opened(TRY(from.open(file)));
  HashedSource bytes(opened);
  Result<TarReader> reader = TarReader::open(bytes, {.layer = false});
  if (!reader && reader.error().kind() == ErrorKind::InvalidArgument) {
    return false;
  }
  if (!reader) {
    return std::move(reader).error().context(file.path);
  }
  // An archive is what begins with a header; any damage from there on is an error.
  std::optional<Entry> first = TRY(reader->next().context(file.path));
  if (!first) {
    return false;
  }
  TRY(UnpackPlanner(to, options, scratch).run(*reader, std::move(first)).context(file.path));
  if (file.content && TRY(bytes.finish().context(file.path)) != *file.content) {
    return data_loss("{}: contents changed while it was unpacked", file.path)
        .with_hint("something writes to it; build again when that is done");
  }
  return true;
}

}  // namespace mybuild::ops

// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/copy_plan.h"
#include "snapshotter/archive/codec.h"
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
      : to_(to), options_(options), scratch_(scratch) {}

  Status run(TarReader& reader, std::optional<Entry> entry) {
    const std::string dest = TRY(to_.resolve(options_.dest));
    TRY(to_.make_dirs(dest, directory_model(options_)));
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
  /// Where an entry lands; the directories that lead there are made.
  Result<std::string> locate(const std::string& path) {
    const std::string clean = clean_relative(path);
    const std::size_t slash = clean.rfind('/');
    if (slash == std::string::npos) {
      return dest_->outside(clean);
    }
    const std::string resolved = TRY(dest_->resolve(clean.substr(0, slash)));
    const std::string parent = dest_->outside(resolved);
    CopyPlanOptions plain = options_;
    plain.mode.reset();
    TRY(to_.make_dirs(parent, directory_model(plain)));
    return join_path(parent, clean.substr(slash + 1));
  }

  Status place(TarReader& reader, Entry entry) {
    entry.path = TRY(locate(entry.path));
    if (options_.owner) {
      entry.uid = options_.owner->uid;
      entry.gid = options_.owner->gid;
    }
    if (entry.type == EntryType::HardLink) {
      return link(std::move(entry));
    }
    if (entry.type != EntryType::File) {
      return to_.replace(std::move(entry), {});
    }
    const std::string spool = join_path(scratch_, fmt::format("{}", ++files_));
    entry.content = TRY(save(reader, spool));
    return to_.replace(std::move(entry), [spool] { return sys::open(spool, O_RDONLY); });
  }

  /// A hard link to something in the archive, or to a file that the tree has already.
  Status link(Entry entry) {
    const std::string first = TRY(locate(entry.link));
    const std::optional<Entry> target = TRY(to_.lookup(first));
    if (!target || target->type == EntryType::Directory) {
      return invalid_argument("archive entry {} is a hard link to {}, which is not there",
                              entry.path, entry.link);
    }
    Entry copy = *target;
    copy.path = entry.path;
    if (target->type == EntryType::HardLink ||
        (target->type == EntryType::File && target->content)) {
      copy.type = EntryType::HardLink;
      copy.link = target->type == EntryType::HardLink ? target->link : first;
      copy.size = 0;
      copy.content.reset();
      return to_.replace(std::move(copy), {});
    }
    return to_.replace(std::move(copy), [&to = to_, source = *target] { return to.open(source); });
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
  std::optional<Destination> dest_;
  std::size_t files_ = 0;
};

}  // namespace

Result<bool> plan_unpack(StagedTree& to, const snapshotter::TreeView& from, const Entry& file,
                         const CopyPlanOptions& options, const std::string& scratch) {
  FileSource bytes(TRY(from.open(file)));
  Result<std::unique_ptr<Source>> plain = snapshotter::make_decompressor(bytes);
  if (!plain) {
    return false;
  }
  Result<TarReader> reader = TarReader::open(**plain, {.layer = false});
  if (!reader) {
    return false;
  }
  // An archive is what has a readable first header; any later damage is an error.
  Result<std::optional<Entry>> first = reader->next();
  if (!first || !*first) {
    return false;
  }
  TRY(UnpackPlanner(to, options, scratch).run(*reader, std::move(*first)).context(file.path));
  return true;
}

}  // namespace mybuild::ops

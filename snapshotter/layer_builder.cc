// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/layer_builder.h"

#include "snapshotter/archive/tar_format.h"
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/background_tree_writer.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/blob_drafts.h"
#include "snapshotter/layer_hasher.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_scan.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

namespace mybuild::snapshotter {

namespace {

constexpr std::size_t kReadBuffer = 256 * 1024;
/// Sharing blocks pays from here on; smaller files are written, as their bytes pass through our
/// hands anyway.
constexpr std::uint64_t kCloneFrom = 64 * 1024;

using Bytes = BackgroundTreeWriter::Bytes;

/// One list on its way to a tree and a tar digest.
class Realiser {
 public:
  Realiser(std::size_t count, const EntryContents& contents, Fd root, Sink& copies)
      : contents_(contents),
        hasher_(copies),
        changes_(count),
        writer_(std::move(root)),
        tar_(hasher_) {}

  Status add(const Entry& entry) {
    TRY(check_name(entry.path));
    if (entry.type == EntryType::HardLink) {
      return add_link(entry);
    }
    TRY(tar_.add(entry));
    if (entry.type != EntryType::File) {
      changes_.add(entry.path, entry);
      return writer_.add(entry);
    }
    size_ += entry.size;
    const Digest content = TRY(add_file(entry).context(entry.path));
    changes_.add(entry.path, entry, content);
    return {};
  }

  Result<LayerIdentity> finish() {
    TRY(writer_.finish());
    TRY(tar_.finish());
    return LayerIdentity{.diff_id = hasher_.finish(), .changes = changes_.finish(), .size = size_};
  }

 private:
  /// A layer reader would take such a name for a deletion.
  static Status check_name(const std::string& path) {
    if (std::string_view(base_name(path)).starts_with(tar::kWhiteoutPrefix)) {
      return invalid_argument("{}: names that begin with \".wh.\" cannot be stored in a layer",
                              path)
          .with_hint("rename the file, the prefix marks deletions in image layers");
    }
    return {};
  }

  /// Told as a scan of the tree will tell it.
  Status add_link(const Entry& entry) {
    Entry link = entry;
    link.xattrs.clear();
    link.size = 0;
    TRY(tar_.add(link));
    changes_.add(link.path, link);
    return writer_.add(entry);
  }

  static Error changed(Error error) {
    return std::move(error).with_hint("something writes to it; build again when that is done");
  }

  Result<Digest> add_file(const Entry& entry) {
    const Fd from = TRY(contents_.open(entry));
    const bool is_large = may_clone_ && entry.size >= kCloneFrom;
    const Digest digest = is_large ? TRY(add_large(from.get(), entry)) : TRY(pass(from.get(), entry, true));
    if (entry.content && *entry.content != digest) {
      return changed(data_loss("contents changed while the build read it: expected {}, read {}",
                               entry.content->str(), digest.str()));
    }
    TRY(contents_.was_read(entry, from.get(), digest));
    return digest;
  }

  /// A clone is read itself, so that what was hashed is what the tree holds.
  Result<Digest> add_large(int from, const Entry& entry) {
    Fd to = TRY(writer_.create(entry));
    may_clone_ = ::ioctl(to.get(), FICLONE, from) == 0;
    if (!may_clone_) {
      writer_.hand_over(std::move(to));
      return pass(from, entry, true);
    }
    const Digest digest = TRY(pass(to.get(), entry, false));
    TRY(finish_file(to.get(), entry));
    return digest;
  }

  /// The one read of the bytes: content digest, tar and, when asked for, the copy.
  Result<Digest> pass(int from, const Entry& entry, bool is_copied) {
    hasher_.begin_file();
    for (std::uint64_t left = entry.size;;) {
      Bytes buffer = is_copied ? writer_.buffer() : std::exchange(own_buffer_, {});
      // One byte more than there should be: most files are read to their end by one call.
      const std::size_t wanted = std::min<std::uint64_t>(left + 1, kReadBuffer);
      buffer.resize(std::max(buffer.size(), wanted));
      const std::size_t count = TRY(sys::read(from, MutableByteSpan(buffer).first(wanted)));
      if (count > left) {
        return changed(data_loss("file grew while it was read, expected {} bytes", entry.size));
      }
      if (count == 0 && left > 0) {
        return changed(data_loss("file shrank while it was read, {} of {} bytes are missing", left,
                                 entry.size));
      }
      TRY(tar_.write(ByteSpan(buffer).first(count)));
      left -= count;
      if (is_copied) {
        TRY(writer_.write(entry, std::move(buffer), count, left == 0));
      } else {
        own_buffer_ = std::move(buffer);
      }
      if (left == 0) {
        return hasher_.end_file();
      }
    }
  }

  const EntryContents& contents_;
  LayerHasher hasher_;
  ChangeHasher changes_;
  BackgroundTreeWriter writer_;
  TarWriter tar_;
  Bytes own_buffer_;
  std::uint64_t size_ = 0;
  bool may_clone_ = true;
};

}  // namespace

namespace {

Result<LayerIdentity> identify(const std::string& dir, ScanOptions options, Sink& copies) {
  Fd root = TRY(sys::open(dir, O_RDONLY | O_DIRECTORY));
  ScannedTree tree = TRY(scan_layer_tree(root.get(), options));
  LayerHasher hasher(copies);
  const std::unique_ptr<EntryContents> contents = tree_contents(std::move(root));
  TRY(write_layer_tar(tree.changes, *contents, hasher));
  return LayerIdentity{
      .diff_id = hasher.finish(), .changes = change_digest(tree.changes), .size = tree.size};
}

}  // namespace

Result<LayerIdentity> identify_tree(const std::string& dir, Sink& copies) {
  return identify(dir, {.normalise = true}, copies);
}

Result<LayerIdentity> identify_stored_tree(const std::string& dir) {
  BlobDrafts no_blobs;
  return identify(dir, {.normalise = false}, no_blobs);
}

Result<LayerIdentity> realise_changes(const ChangeRefs& changes, const EntryContents& contents,
                                      const std::string& dir, Sink& copies) {
  Fd root = TRY(sys::open(dir, O_RDONLY | O_DIRECTORY));
  Realiser realiser(changes.size(), contents, std::move(root), copies);
  for (const Entry* previous = nullptr; const Entry* entry : changes) {
    if (previous != nullptr && !path_less(previous->path, entry->path)) {
      return internal_error("change list is not sorted at {}", entry->path);
    }
    previous = entry;
    TRY(realiser.add(*entry));
  }
  return realiser.finish();
}

}  // namespace mybuild::snapshotter

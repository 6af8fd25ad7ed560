// SPDX-License-Identifier: Apache-2.0
// Layer tar bytes from a ChangeList: a pure function of the list and the contents, on any machine
// (format.md has the rules: PAX only where ustar cannot say it, numeric ids, whole-second mtimes,
// .wh. names). Thread-compatible.
#pragma once

#include "snapshotter/archive/entry.h"

namespace mybuild::snapshotter {

struct TarOptions {
  /// Later mtimes are clamped to this (rewrite-timestamp).
  std::optional<std::int64_t> max_mtime;
};

/// Streams an archive entry by entry, for exporters that make up their own members (index.json,
/// blobs).
class TarWriter {
 public:
  explicit TarWriter(Sink& sink, TarOptions options = {});
  /// Header of `entry`; a File's `size` bytes must follow through write().
  Status add(const Entry& entry);
  Status write(ByteSpan bytes);
  /// So many bytes of the file are where the sink would have them already.
  Status skip(std::uint64_t bytes);
  /// A regular file of our own with the given bytes.
  Status add_file(const std::string& path, std::string_view bytes, mode_t mode = 0644,
                  std::int64_t mtime = 0);
  /// Two zero blocks. The writer is done afterwards.
  Status finish();

 private:
  Status pad();
  Sink& sink_;
  TarOptions options_;
  std::uint64_t left_ = 0;     // bytes of the current file still to come
  std::uint64_t padding_ = 0;  // zeros after them
};

/// Takes a tar, and has the digests of the files in it.
class TarHasher : public Sink {
 public:
  /// The bytes from here to end_file() are those of a file; before them are whole tar blocks.
  virtual void begin_file() = 0;
  virtual Digest end_file() = 0;
};

/// Fills in `content` of each file on the way (the bytes are read once), fails with DataLoss when a
/// file's size or an already known content digest is not what the list says.
Status write_layer_tar(ChangeList& changes, const EntryContents& contents, TarHasher& sink,
                       TarOptions options = {});

/// The same bytes for who looks at the whole tar's digest: files are not hashed one by one, so of
/// their contents only the sizes are checked.
Status write_unhashed_layer_tar(const ChangeList& changes, const EntryContents& contents,
                                Sink& sink, TarOptions options = {});

}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
// File contents in memory, and short ways to write entries down. Thread-safe once filled.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/sys.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

namespace mybuild::snapshotter {

class FakeContents final : public EntryContents {
 public:
  Result<Fd> open(const Entry& entry) const override {
    const auto found = bytes.find(entry.path);
    if (found == bytes.end()) {
      return not_found("{}", entry.path);
    }
    Fd fd = TRY(sys::memfd("contents"));
    TRY(sys::write_all(fd.get(), as_bytes(found->second)));
    return sys::open(sys::proc_fd_path(fd.get()), O_RDONLY);
  }
  std::map<std::string, std::string> bytes;
};

inline Entry make_entry(std::string path, EntryType type, mode_t mode = 0644) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = type;
  entry.mode = mode;
  return entry;
}
inline Entry make_directory(std::string path, mode_t mode = 0755) {
  return make_entry(std::move(path), EntryType::Directory, mode);
}
inline Entry make_file(std::string path, std::string_view bytes, FakeContents& contents,
                       mode_t mode = 0644) {
  Entry entry = make_entry(path, EntryType::File, mode);
  entry.size = bytes.size();
  contents.bytes[path] = bytes;
  return entry;
}
inline Entry make_link(std::string path, EntryType type, std::string target) {
  Entry entry = make_entry(std::move(path), type, type == EntryType::Symlink ? 0777 : 0644);
  entry.link = std::move(target);
  return entry;
}
inline Entry make_whiteout(std::string path) {
  return make_entry(std::move(path), EntryType::Whiteout, 0);
}

/// Keeps the tar.
class TextHasher final : public TarHasher {
 public:
  Status write(ByteSpan bytes) override {
    text += as_text(bytes);
    return {};
  }
  void begin_file() override { begin_ = text.size(); }
  Digest end_file() override { return Digest::of(std::string_view(text).substr(begin_)); }

  std::string text;

 private:
  std::size_t begin_ = 0;
};

inline std::string layer_tar(ChangeList& changes, const FakeContents& contents,
                             TarOptions options = {}) {
  TextHasher sink;
  const Status written = write_layer_tar(changes, contents, sink, options);
  EXPECT_TRUE(written) << written.error().message();
  return sink.text;
}

}  // namespace mybuild::snapshotter

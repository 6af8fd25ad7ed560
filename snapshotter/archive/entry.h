// SPDX-License-Identifier: Apache-2.0
// Entry: one file system object of a layer as data, and ChangeList: all that a layer adds, replaces
// or hides. The same list is made from a directory, from a tar stream or by planning a COPY, and a
// layer's tar bytes and identity are functions of it and of the file contents (format.md). Value
// types.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::snapshotter {

enum class EntryType : std::uint8_t {  // values enter digests; append only
  File = 1,
  Directory = 2,
  Symlink = 3,
  HardLink = 4,  // `link` is the path of an earlier entry of the same list
  CharDevice = 5,
  BlockDevice = 6,
  Fifo = 7,
  Whiteout = 8,  // hides what lower layers have at this path
};

/// Extended attributes by name. Few objects have any, so that those without take a pointer only.
class Xattrs {
 public:
  using Map = std::map<std::string, std::string>;

  Xattrs() = default;
  Xattrs(const Xattrs& other);
  Xattrs& operator=(const Xattrs& other) { return *this = Xattrs(other); }
  Xattrs(Xattrs&&) noexcept = default;
  Xattrs& operator=(Xattrs&&) noexcept = default;
  ~Xattrs() = default;

  const Map& map() const;
  bool empty() const { return map_ == nullptr; }
  std::size_t size() const { return map().size(); }
  Map::const_iterator begin() const { return map().begin(); }
  Map::const_iterator end() const { return map().end(); }
  void set(std::string name, std::string value);
  void clear() { map_.reset(); }
  bool operator==(const Xattrs& other) const { return map() == other.map(); }

 private:
  std::unique_ptr<Map> map_;  // null: none
};

struct Entry {
  std::string path;  // relative, clean, no leading slash; "" is the root directory itself
  EntryType type = EntryType::File;
  bool opaque = false;  // a directory that hides all that lower layers have below it
  mode_t mode = 0;      // permission, set-id and sticky bits only
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size = 0;  // of a File
  struct timespec mtime {};
  std::string link;  // Symlink: target text; HardLink: path of the first name
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  Xattrs xattrs;                  // only carried names, see format.md
  std::optional<Digest> content;  // sha256 of a File's bytes, once known
};

/// Sorted by path, componentwise (a directory, then all below it, then its next sibling); no path
/// twice.
using ChangeList = std::vector<Entry>;
/// Such a list of entries that lie elsewhere, and stay there.
using ChangeRefs = std::vector<const Entry*>;
ChangeRefs refs_of(const ChangeList& changes);

/// Componentwise order: '/' sorts before every other byte.
bool path_less(std::string_view a, std::string_view b);

/// Where the bytes of the list's files are. Thread-safe.
class EntryContents {
 public:
  virtual ~EntryContents() = default;
  /// Opened for reading at offset 0.
  virtual Result<Fd> open(const Entry& entry) const = 0;
  /// Whoever opened it has read it to its end, and found `content`; `fd` is still open.
  virtual Status was_read(const Entry& /*entry*/, int /*fd*/, const Digest& /*content*/) const {
    return {};
  }
};

/// Digest of all that a layer changes: every field but mtime, each framed, in list order. Each File
/// must have `content`. It is the "what the step changed" part of an output id
/// (solver/key_schema.md).
Digest change_digest(const ChangeList& changes);

/// change_digest() of a list that nobody has as one: `count` entries, each under a path that may
/// differ from its own.
class ChangeHasher {
 public:
  explicit ChangeHasher(std::size_t count);
  ChangeHasher(const ChangeHasher&) = delete;
  ChangeHasher& operator=(const ChangeHasher&) = delete;
  ~ChangeHasher();

  void add(std::string_view path, const Entry& entry) { add(path, entry, entry.content); }
  /// With a content that the entry may not say.
  void add(std::string_view path, const Entry& entry, const std::optional<Digest>& content);
  Digest finish();

 private:
  class Framer;
  Hasher hasher_;
  std::unique_ptr<Framer> framer_;
};

/// The names of extended attributes that layers carry: security.capability and user.* but for
/// overlayfs' own.
bool carried_xattr(std::string_view name);

}  // namespace mybuild::snapshotter

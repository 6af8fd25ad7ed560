// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_witness.h"

#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"
#include "snapshotter/tree_scan.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace mybuild::snapshotter {

struct ContentHasher::State {
  XXH3_state_t hash;  // wants 64 bytes of alignment, which `new` gives by the type
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->hash);
}
ContentHasher::ContentHasher(ContentHasher&&) noexcept = default;
ContentHasher& ContentHasher::operator=(ContentHasher&&) noexcept = default;
ContentHasher::~ContentHasher() = default;

void ContentHasher::update(ByteSpan bytes) {
  XXH3_128bits_update(&state_->hash, bytes.data(), bytes.size());
}

ContentHash ContentHasher::finish() {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->hash));
  XXH3_128bits_reset(&state_->hash);
  ContentHash hash;
  static_assert(sizeof canonical.digest == std::tuple_size_v<ContentHash>);
  std::memcpy(hash.data(), canonical.digest, sizeof canonical.digest);
  return hash;
}

namespace {

constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::string_view kScheme = "mybuild.tree.witness.v1";

class Witness {
 public:
  Witness(const EntryContents& contents, const KnownContents& known)
      : contents_(contents), known_(known), buffer_(kBuffer) {
    text(kScheme);
  }

  Status add(const Entry& entry, ino_t inode) {
    text(entry.path);
    number(static_cast<std::uint64_t>(entry.type));
    number(entry.opaque ? 1 : 0);
    number(entry.mode);
    number(entry.uid);
    number(entry.gid);
    number(entry.size);
    number(static_cast<std::uint64_t>(entry.mtime.tv_sec));
    text(entry.link);
    number(entry.device_major);
    number(entry.device_minor);
    number(entry.xattrs.size());
    for (const auto& [name, value] : entry.xattrs) {
      text(name);
      text(value);
    }
    if (entry.type == EntryType::File) {
      const ContentHash content = TRY(content_of(entry, inode).context(entry.path));
      hasher_.update(ByteSpan(content));
    }
    return {};
  }

  Digest finish() { return hasher_.finish(); }

 private:
  /// While contents are known the tree is still ours alone.
  Result<ContentHash> content_of(const Entry& entry, ino_t inode) {
    if (const auto known = known_.find(inode); known != known_.end()) {
      return known->second;
    }
    const Fd file = TRY(contents_.open(entry));
    while (const std::size_t count = TRY(sys::read(file.get(), buffer_))) {
      content_.update(ByteSpan(buffer_).first(count));
    }
    return content_.finish();
  }

  void number(std::uint64_t value) {
    std::array<std::byte, sizeof value> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>(value >> (8 * i));
    }
    hasher_.update(ByteSpan(bytes));
  }
  void text(std::string_view value) {
    number(value.size());
    hasher_.update(value);
  }

  const EntryContents& contents_;
  const KnownContents& known_;
  ContentHasher content_;
  Hasher hasher_;
  std::vector<std::byte> buffer_;
};

}  // namespace

Result<Digest> witness_of_tree(const std::string& path, const KnownContents& known) {
  const Fd root = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
  const struct stat info = TRY(sys::fstat(root.get()));
  Entry top = TRY(read_directory_entry(root.get(), info, {}, TreeForm::Layer));
  top.mtime = {};  // the rename that publishes the tree may touch it
  const ScannedTree tree = TRY(scan_layer_tree(root.get(), {.note_inodes = true}));
  const std::unique_ptr<EntryContents> contents = tree_contents(TRY(sys::dup(root.get())));
  Witness witness(*contents, known);
  TRY(witness.add(top, info.st_ino));
  for (std::size_t i = 0; i < tree.changes.size(); ++i) {
    TRY(witness.add(tree.changes[i], tree.inodes[i]));
  }
  return witness.finish();
}

}  // namespace mybuild::snapshotter

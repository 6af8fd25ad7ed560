// SPDX-License-Identifier: Apache-2.0
// The witness of a layer tree from outside: a digest over all that the tree is, contents included,
// and nothing that is of this disk or this moment. It is made while the layer is unpacked, when its
// bytes pass by anyway. Layers made here have their diff id instead. Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

namespace mybuild::snapshotter {

/// XXH3-128 of a file's bytes. It tells accidents, not attacks: who may write into the store needs
/// no collision.
using ContentHash = std::array<std::byte, 16>;

class ContentHasher {
 public:
  ContentHasher();
  ContentHasher(ContentHasher&&) noexcept;
  ContentHasher& operator=(ContentHasher&&) noexcept;
  ~ContentHasher();

  void update(ByteSpan bytes);
  /// And begins anew.
  ContentHash finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What files hold, by their inodes.
using KnownContents = std::unordered_map<ino_t, ContentHash>;

/// Names, types, modes, owners, sizes, mtimes in whole seconds, links, device numbers, carried
/// attributes and contents; of "/" all but its mtime. The same for either form of marks
/// (whiteout.h). Files that are not in `known` are read.
Result<Digest> witness_of_tree(const std::string& path, const KnownContents& known = {});

}  // namespace mybuild::snapshotter

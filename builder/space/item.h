// SPDX-License-Identifier: Apache-2.0
// Item: something in the state directory that takes space and may go one day: a layer tree, a blob,
// a cache mount, a git mirror, a table of the index. Value types, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::space {

/// What it is to the user, in BuildKit's words where it has one.
enum class ItemType : std::uint8_t {
  Regular,      // what a step made
  Image,        // of an image that was pulled, or came from a layout or an archive
  GitCheckout,  // files of a commit, or what is kept of a git remote
  Http,         // a file behind a URL
  CacheMount,   // RUN --mount=type=cache
  Internal,     // can be made again from what stays: compressed forms, tables, the stat index
};
/// "regular", "source.image", "source.git.checkout", "source.http", "exec.cachemount", "internal".
std::string_view to_string(ItemType type);

/// Where it lies, and so how it is removed.
enum class Place : std::uint8_t { Tree, Blob, CacheMount, Mirror, Index };

struct Item {
  Place place = Place::Tree;
  ItemType type = ItemType::Regular;
  std::string id;            // name of the tree, hex digits of the blob, key of the cache mount …
  std::uint64_t size = 0;    // bytes
  std::int64_t created = 0;  // seconds since the epoch; 0: not known
  std::int64_t last_used = 0;
  bool needed = false;    // an image or a container has it: it never goes
  bool in_use = false;    // somebody works with it: it does not go now
  bool derived = false;   // of something that stays: it goes only when all is asked for
  std::string name = {};  // what the user calls it: the id of a cache mount, the URL of a mirror
  std::string description = {};

  /// What was never used since it was made, as far as is known, was last used then.
  std::int64_t last_seen() const { return last_used != 0 ? last_used : created; }
  bool reclaimable() const { return !needed && !in_use; }
};

}  // namespace mybuild::space

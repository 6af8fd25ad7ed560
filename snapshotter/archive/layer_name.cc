// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/layer_name.h"

#include "snapshotter/archive/tar_format.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"

namespace mybuild::snapshotter {

namespace {

Entry bare_entry(std::string path, EntryType type) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = type;
  return entry;
}

}  // namespace

bool has_whiteout_part(std::string_view path) {
  return path.starts_with(tar::kWhiteoutPrefix) || path.find("/.wh.") != std::string_view::npos;
}

Result<LayerName> translate_layer_name(Entry& entry) {
  if (entry.type == EntryType::HardLink && has_whiteout_part(entry.link)) {
    return invalid_argument("{} is a hard link to a deletion mark", entry.path);
  }
  if (!has_whiteout_part(entry.path)) {
    return LayerName::Ordinary;
  }
  const std::string base(base_name(entry.path));
  const std::string parent = clean_relative(entry.path.substr(0, entry.path.size() - base.size()));
  if (base == tar::kOpaqueName && !has_whiteout_part(parent)) {
    entry = bare_entry(parent, EntryType::Directory);
    entry.opaque = true;
    return LayerName::Translated;
  }
  if (entry.path.starts_with(".wh..wh.") || entry.path.find("/.wh..wh.") != std::string::npos) {
    return LayerName::Ignored;
  }
  const std::string hidden = base.starts_with(tar::kWhiteoutPrefix) ? base.substr(4) : "";
  if (hidden.empty() || hidden == "." || hidden == ".." || has_whiteout_part(parent)) {
    return invalid_argument("\"{}\" is not a valid deletion mark", entry.path);
  }
  entry = bare_entry(join_path(parent, hidden), EntryType::Whiteout);
  return LayerName::Translated;
}

}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
// A tar as values, read by the store's own reader.
#pragma once

#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/tar_reader.h"
#include "snapshotter/base/file.h"

#include <string>
#include <vector>

namespace mybuild::exporter {

struct TarMember {
  snapshotter::Entry entry;
  std::string text;
};

inline std::vector<TarMember> list_tar_text(const std::string& tar) {
  StringSource source(tar);
  auto reader = snapshotter::TarReader::open(source, {.layer = false}).value();
  std::vector<TarMember> members;
  while (auto entry = reader.next().value()) {
    TarMember member{.entry = *entry, .text = {}};
    std::vector<std::byte> buffer(entry->size);
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      filled += reader.read(MutableByteSpan(buffer).subspan(filled)).value();
    }
    member.text = as_text(buffer);
    members.push_back(std::move(member));
  }
  return members;
}

inline std::vector<TarMember> list_tar(const std::string& path) {
  return list_tar_text(read_file(path).value());
}

inline std::string plain(const std::string& compressed) {
  StringSource source(compressed);
  const auto reader = snapshotter::make_decompressor(source).value();
  return read_all(*reader, 1 << 26).value();
}

}  // namespace mybuild::exporter

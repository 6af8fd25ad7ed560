// SPDX-License-Identifier: Apache-2.0
#include "builder/explain/manifest.h"

#include <cstring>

namespace mybuild::explain {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;

constexpr std::string_view kMagic = "mybuild.manifest.v1\n";

void put_number(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

void put_word(std::string& out, std::uint64_t value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

std::uint64_t first_word(const Digest& digest) {
  std::uint64_t word = 0;
  std::memcpy(&word, digest.bytes.data(), sizeof word);
  return word;
}

/// What few files have, as one number.
std::uint64_t other_of(const Entry& entry) {
  if (entry.xattrs.empty() && entry.device_major == 0 && entry.device_minor == 0) {
    return 0;
  }
  std::string all;
  put_number(all, entry.device_major);
  put_number(all, entry.device_minor);
  for (const auto& [name, value] : entry.xattrs) {
    put_text(all, name);
    put_text(all, value);
  }
  return first_word(Digest::of(all));
}

/// Paths that follow one another begin alike.
void put_path(std::string& out, std::string_view path, std::string_view before) {
  std::size_t shared = 0;
  while (shared < path.size() && shared < before.size() && path[shared] == before[shared]) {
    ++shared;
  }
  put_number(out, shared);
  put_text(out, path.substr(shared));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  Result<std::uint64_t> number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
    return damaged();
  }
  Result<std::string_view> bytes(std::uint64_t count) {
    if (count > rest_.size()) {
      return damaged();
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  Result<std::string> text() {
    const std::uint64_t size = TRY(number());
    const std::string_view taken = TRY(bytes(size));
    return std::string(taken);
  }
  Result<std::uint64_t> word() {
    std::uint64_t value = 0;
    const std::string_view taken = TRY(bytes(sizeof value));
    std::memcpy(&value, taken.data(), sizeof value);
    return value;
  }

  static Error damaged() { return data_loss("the list of a step's files is damaged"); }

 private:
  std::string_view rest_;
};

Result<ManifestEntry> read_entry(Reader& reader) {
  ManifestEntry entry;
  entry.type = static_cast<EntryType>(TRY(reader.number()));
  entry.mode = static_cast<std::uint32_t>(TRY(reader.number()));
  entry.uid = static_cast<std::uint32_t>(TRY(reader.number()));
  entry.gid = static_cast<std::uint32_t>(TRY(reader.number()));
  entry.size = TRY(reader.number());
  entry.link = TRY(reader.text());
  entry.content = TRY(reader.word());
  entry.other = TRY(reader.word());
  return entry;
}

std::string_view type_word(EntryType type) {
  switch (type) {
    case EntryType::File:
    case EntryType::HardLink:
      return "a file";
    case EntryType::Directory:
      return "a directory";
    case EntryType::Symlink:
      return "a link";
    case EntryType::CharDevice:
    case EntryType::BlockDevice:
      return "a device";
    case EntryType::Fifo:
      return "a pipe";
    case EntryType::Whiteout:
      return "a deletion";
  }
  return "something else";
}

std::string owner_text(const ManifestEntry& entry) {
  return fmt::format("{}:{}", entry.uid, entry.gid);
}

FileChange change_of(const std::string& path, const ManifestEntry& then, const ManifestEntry& now) {
  FileChange change{.path = path, .kind = FileChangeKind::Other, .was = {}, .is = {}};
  const auto say = [&](FileChangeKind kind, std::string was, std::string is) {
    change.kind = kind;
    change.was = std::move(was);
    change.is = std::move(is);
  };
  if (then.type != now.type) {
    say(FileChangeKind::Type, std::string(type_word(then.type)), std::string(type_word(now.type)));
  } else if (then.content != now.content || then.size != now.size) {
    say(FileChangeKind::Content, {}, {});
  } else if (then.link != now.link) {
    say(FileChangeKind::Link, then.link, now.link);
  } else if (then.mode != now.mode) {
    say(FileChangeKind::Mode, fmt::format("{:04o}", then.mode), fmt::format("{:04o}", now.mode));
  } else if (then.uid != now.uid || then.gid != now.gid) {
    say(FileChangeKind::Owner, owner_text(then), owner_text(now));
  }
  return change;
}

/// What is only in `here`. What lies in a directory that is told goes without saying.
void add_missing(const Manifest& here, const Manifest& there, FileChangeKind kind,
                 std::vector<FileChange>& changes) {
  for (const auto& [path, entry] : here) {
    if (there.contains(path)) {
      continue;
    }
    const std::size_t slash = path.rfind('/');
    if (slash != std::string::npos) {
      const std::string parent = path.substr(0, slash);
      if (here.contains(parent) && !there.contains(parent)) {
        continue;
      }
    }
    changes.push_back({.path = path, .kind = kind, .was = {}, .is = {}});
  }
}

}  // namespace

std::string encode_manifest(const ops::SourceRefs& sources) {
  std::string out(kMagic);
  std::string_view before;
  for (const ops::SelectedSource& source : sources) {
    for (const ops::SelectedEntry& selected : source.entries) {
      const Entry& entry = selected.entry;
      put_path(out, entry.path, before);
      before = entry.path;
      put_number(out, static_cast<std::uint64_t>(entry.type));
      put_number(out, entry.mode);
      put_number(out, entry.uid);
      put_number(out, entry.gid);
      put_number(out, entry.size);
      put_text(out, entry.link);
      put_word(out, entry.content ? first_word(*entry.content) : 0);
      put_word(out, other_of(entry));
    }
  }
  return out;
}

Result<Manifest> decode_manifest(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return Reader::damaged();
  }
  Reader reader(bytes.substr(kMagic.size()));
  Manifest manifest;
  std::string path;
  while (!reader.at_end()) {
    const std::uint64_t shared = TRY(reader.number());
    if (shared > path.size()) {
      return Reader::damaged();
    }
    path.resize(shared);
    path += TRY(reader.text());
    ManifestEntry entry = TRY(read_entry(reader));
    manifest.insert_or_assign(path, std::move(entry));
  }
  return manifest;
}

std::vector<FileChange> file_changes(const Manifest& then, const Manifest& now) {
  std::vector<FileChange> changes;
  for (const auto& [path, entry] : now) {
    const auto earlier = then.find(path);
    if (earlier != then.end() && earlier->second != entry) {
      changes.push_back(change_of(path, earlier->second, entry));
    }
  }
  add_missing(now, then, FileChangeKind::Added, changes);
  add_missing(then, now, FileChangeKind::Removed, changes);
  return changes;
}

}  // namespace mybuild::explain

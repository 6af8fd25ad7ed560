// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/entry.h"

#include <algorithm>

namespace mybuild::snapshotter {

namespace {

constexpr std::string_view kChangesVersion = "mybuild.changes.v1";
constexpr std::size_t kFlushAt = 64 * 1024;

/// Every field with its length in front, so that no two lists share an encoding.
class Framer {
 public:
  explicit Framer(Hasher& hasher) : hasher_(hasher) {}
  ~Framer() { hasher_.update(buffer_); }
  Framer(const Framer&) = delete;
  Framer& operator=(const Framer&) = delete;

  void number(std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      buffer_.push_back(static_cast<char>((value >> shift) & 0xffU));
    }
  }
  void text(std::string_view value) {
    number(value.size());
    buffer_.append(value);
    if (buffer_.size() >= kFlushAt) {
      hasher_.update(buffer_);
      buffer_.clear();
    }
  }

 private:
  Hasher& hasher_;
  std::string buffer_;
};

void frame(Framer& framer, const Entry& entry) {
  framer.text(entry.path);
  framer.number(static_cast<std::uint64_t>(entry.type));
  if (entry.type == EntryType::Whiteout) {
    return;  // it hides a path; owner and mode of the marker mean nothing
  }
  framer.number(entry.opaque ? 1 : 0);
  framer.number(entry.mode);
  framer.number(entry.uid);
  framer.number(entry.gid);
  framer.number(entry.size);
  framer.text(entry.link);
  framer.number(entry.device_major);
  framer.number(entry.device_minor);
  framer.number(entry.xattrs.size());
  for (const auto& [name, value] : entry.xattrs) {
    framer.text(name);
    framer.text(value);
  }
  framer.text(entry.content ? as_text(entry.content->bytes) : std::string_view());
}

}  // namespace

bool path_less(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (in_a == a.end() || in_b == b.end()) {
    return in_a == a.end() && in_b != b.end();
  }
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
  return rank(*in_a) < rank(*in_b);
}

Digest change_digest(const ChangeList& changes) {
  Hasher hasher;
  {
    Framer framer(hasher);
    framer.text(kChangesVersion);
    framer.number(changes.size());
    for (const Entry& entry : changes) {
      frame(framer, entry);
    }
  }
  return hasher.finish();
}

bool carried_xattr(std::string_view name) {
  if (name == "security.capability") {
    return true;
  }
  return name.starts_with("user.") && !name.starts_with("user.overlay.") &&
         name.find('=') == std::string_view::npos;
}

}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/entry.h"

#include <algorithm>

namespace mybuild::snapshotter {

namespace {

constexpr std::string_view kChangesVersion = "mybuild.changes.v1";
constexpr std::size_t kBuffer = 16 * 1024;

}  // namespace

/// Every field with its length in front, so that no two lists share an encoding.
class ChangeHasher::Framer {
 public:
  explicit Framer(Hasher& hasher) : hasher_(hasher) {}
  ~Framer() = default;
  Framer(const Framer&) = delete;
  Framer& operator=(const Framer&) = delete;

  void number(std::uint64_t value) {
    if (sizeof value > kBuffer - used_) {
      flush();
    }
    for (unsigned i = 0; i < sizeof value; ++i) {
      buffer_[used_ + i] = static_cast<char>((value >> (8 * i)) & 0xffU);
    }
    used_ += sizeof value;
  }
  void text(std::string_view value) {
    number(value.size());
    put(value);
  }
  void flush() {
    hasher_.update(std::string_view(buffer_.get(), used_));
    used_ = 0;
  }

 private:
  void put(std::string_view value) {
    if (value.size() > kBuffer - used_) {
      flush();
      if (value.size() > kBuffer) {
        hasher_.update(value);
        return;
      }
    }
    std::copy_n(value.data(), value.size(), buffer_.get() + used_);
    used_ += value.size();
  }

  Hasher& hasher_;
  std::unique_ptr<char[]> buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer);
  std::size_t used_ = 0;
};

ChangeHasher::ChangeHasher(std::size_t count) : framer_(std::make_unique<Framer>(hasher_)) {
  framer_->text(kChangesVersion);
  framer_->number(count);
}

ChangeHasher::~ChangeHasher() = default;

void ChangeHasher::add(std::string_view path, const Entry& entry,
                       const std::optional<Digest>& content) {
  Framer& framer = *framer_;
  framer.text(path);
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
  framer.text(content ? as_text(content->bytes) : std::string_view());
}

Digest ChangeHasher::finish() {
  framer_->flush();
  return hasher_.finish();
}

ChangeRefs refs_of(const ChangeList& changes) {
  ChangeRefs refs;
  refs.reserve(changes.size());
  for (const Entry& entry : changes) {
    refs.push_back(&entry);
  }
  return refs;
}

bool path_less(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (in_a == a.end() || in_b == b.end()) {
    return in_a == a.end() && in_b != b.end();
  }
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
  return rank(*in_a) < rank(*in_b);
}

Digest change_digest(const ChangeList& changes) {
  ChangeHasher hasher(changes.size());
  for (const Entry& entry : changes) {
    hasher.add(entry.path, entry);
  }
  return hasher.finish();
}

Xattrs::Xattrs(const Xattrs& other)
    : map_(other.map_ ? std::make_unique<Map>(*other.map_) : nullptr) {}

const Xattrs::Map& Xattrs::map() const {
  static const Map kNone;
  return map_ ? *map_ : kNone;
}

void Xattrs::set(std::string name, std::string value) {
  if (map_ == nullptr) {
    map_ = std::make_unique<Map>();
  }
  map_->insert_or_assign(std::move(name), std::move(value));
}

bool carried_xattr(std::string_view name) {
  if (name == "security.capability") {
    return true;
  }
  return name.starts_with("user.") && !name.starts_with("user.overlay.") &&
         name.find('=') == std::string_view::npos;
}

}  // namespace mybuild::snapshotter

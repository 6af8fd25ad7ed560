// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/copy_ahead.h"

#include <algorithm>
#include <functional>

namespace mybuild::ops {

using snapshotter::Entry;
using snapshotter::EntryContents;
using snapshotter::EntryType;

SelectedBytes& SelectedBytes::operator+=(const SelectedBytes& other) {
  all += other.all;
  unread += other.unread;
  has_hard_links |= other.has_hard_links;
  return *this;
}

SelectedBytes count_bytes(const std::vector<SelectedSource>& sources) {
  SelectedBytes bytes;
  for (const SelectedSource& source : sources) {
    for (const SelectedEntry& selected : source.entries) {
      if (selected.entry.type == EntryType::File) {
        bytes += {.all = selected.entry.size,
                  .unread = selected.entry.content ? 0 : selected.entry.size,
                  .has_hard_links = selected.hard_link.has_value()};
      }
    }
  }
  return bytes;
}

namespace {

/// As far as a context says it: owners are not taken from there.
bool is_as_selected(const Entry& selected, const Entry& read) {
  return selected.mode == read.mode && selected.size == read.size &&
         selected.mtime.tv_sec == read.mtime.tv_sec &&
         selected.mtime.tv_nsec == read.mtime.tv_nsec && selected.xattrs == read.xattrs;
}

}  // namespace

class CopiedContents::Files final : public EntryContents {
 public:
  Files(CopiedContents& copied, const EntryContents& from) : copied_(copied), from_(from) {}
  Result<Fd> open(const Entry& entry) const override {
    Fd fd = TRY(from_.open(entry));
    const snapshotter::ContentMemory::Reading reading = TRY(copied_.memory_.begin(fd.get()));
    copied_.opened_ = Opened{.entry = &entry, .reading = reading};
    return fd;
  }

 private:
  CopiedContents& copied_;
  const EntryContents& from_;
};

class CopiedContents::Planned final : public EntryContents {
 public:
  Planned(CopiedContents& copied, const EntryContents& planned)
      : copied_(copied), planned_(planned) {}
  Result<Fd> open(const Entry& entry) const override {
    copied_.opened_.reset();
    return planned_.open(entry);
  }
  Status was_read(const Entry&, int fd, const Digest& content) const override {
    return copied_.note(fd, content);
  }

 private:
  CopiedContents& copied_;
  const EntryContents& planned_;
};

std::unique_ptr<EntryContents> CopiedContents::files(const EntryContents& from) {
  return std::make_unique<Files>(*this, from);
}

std::unique_ptr<EntryContents> CopiedContents::through(const EntryContents& planned) {
  return std::make_unique<Planned>(*this, planned);
}

Status CopiedContents::note(int fd, const Digest& content) {
  if (!opened_) {
    return {};  // bytes of our own
  }
  const Entry& selected = *opened_->entry;
  const std::optional<Entry> read = TRY(memory_.end(fd, opened_->reading, selected.path, content));
  if (!read || !is_as_selected(selected, *read)) {
    return data_loss("{}: changed while the build read it", selected.path);
  }
  read_.emplace_back(&selected, content);
  return {};
}

void CopiedContents::fill_in(std::vector<SelectedSource>& sources) {
  std::sort(read_.begin(), read_.end(), [](const auto& a, const auto& b) {
    return std::less<const Entry*>()(a.first, b.first);
  });
  for (SelectedSource& source : sources) {
    for (SelectedEntry& selected : source.entries) {
      const auto found = std::lower_bound(read_.begin(), read_.end(), &selected.entry,
                                          [](const auto& read, const Entry* entry) {
                                            return std::less<const Entry*>()(read.first, entry);
                                          });
      if (found != read_.end() && found->first == &selected.entry) {
        selected.entry.content = found->second;
      }
    }
  }
}

}  // namespace mybuild::ops

// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/selection.h"
#include "snapshotter/base/cpu.h"
#include "solver/key.h"

#include <map>

namespace mybuild::ops {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TreeView;

/// Files are handed out in runs, so that a job is worth more than its dispatch.
constexpr std::size_t kRun = 64;

Status hash_all(const TreeView& tree, const std::vector<Entry*>& files) {
  const std::size_t runs = (files.size() + kRun - 1) / kRun;
  std::vector<Status> failures(runs);
  const auto hash_run = [&](std::size_t run) {
    const std::size_t end = std::min(files.size(), (run + 1) * kRun);
    for (std::size_t i = run * kRun; i < end; ++i) {
      if (Status hashed = tree.hash(*files[i]); !hashed) {
        failures[run] = std::move(hashed);
        return;
      }
    }
  };
  if (runs == 1) {
    hash_run(0);
  } else {
    cpu::for_each(runs, hash_run);
  }
  for (const Status& failure : failures) {
    TRY(Status(failure));
  }
  return {};
}

bool is_same_file(const Entry& a, const Entry& b) {
  return a.content == b.content && a.size == b.size && a.mode == b.mode && a.xattrs == b.xattrs;
}

/// Names that were of one file when they were listed, and of which one was replaced before it was
/// read, are of two.
void part_replaced(std::vector<SelectedSource>& sources) {
  std::map<snapshotter::HardLinkId, const Entry*> first;
  for (SelectedSource& source : sources) {
    for (SelectedEntry& selected : source.entries) {
      if (!selected.hard_link) {
        continue;
      }
      const auto [known, is_new] = first.emplace(*selected.hard_link, &selected.entry);
      if (!is_new && !is_same_file(*known->second, selected.entry)) {
        selected.hard_link.reset();
      }
    }
  }
}

}  // namespace

Status hash_contents(const TreeView& tree, std::vector<SelectedSource>& sources) {
  std::vector<Entry*> files;
  for (SelectedSource& source : sources) {
    for (SelectedEntry& selected : source.entries) {
      if (selected.entry.type == EntryType::File && !selected.entry.content) {
        files.push_back(&selected.entry);
      }
    }
  }
  if (!files.empty()) {
    TRY(hash_all(tree, files));
    part_replaced(sources);
  }
  return {};
}

void distrust_contents(const TreeView& tree, const std::vector<SelectedSource>& sources) {
  for (const SelectedSource& source : sources) {
    for (const SelectedEntry& selected : source.entries) {
      if (selected.entry.type == EntryType::File) {
        tree.distrust(selected.entry);
      }
    }
  }
}

namespace {

/// Of the names of one file the first is the file, the others are links to it, as the copy makes
/// them.
class FirstNames {
 public:
  /// `below` itself: it is the first name, or has no other.
  std::string_view of(const SelectedEntry& selected, std::string_view below) {
    return selected.hard_link ? names_.emplace(*selected.hard_link, below).first->second : below;
  }

 private:
  std::map<snapshotter::HardLinkId, std::string_view> names_;
};

/// What a source brings, as the list of a layer.
Digest source_digest(const SelectedSource& source, NamedDirectories named) {
  snapshotter::ChangeHasher changes(source.entries.size());
  FirstNames first_names;
  for (const SelectedEntry& selected : source.entries) {
    const std::string_view below = source.below(selected);
    if (source.is_directory && below.empty() && named == NamedDirectories::NotShown) {
      Entry directory;
      directory.type = EntryType::Directory;
      changes.add(below, directory);
    } else if (const std::string_view first = first_names.of(selected, below); first != below) {
      Entry link = selected.entry;
      link.type = EntryType::HardLink;
      link.link = first;
      link.size = 0;
      link.content.reset();
      changes.add(below, link);
    } else {
      changes.add(below, selected.entry);
    }
  }
  return changes.finish();
}

}  // namespace

Digest selection_digest(const std::vector<SelectedSource>& sources, NamedDirectories named) {
  solver::KeyBuilder key("mybuild.selection.v2");
  key.add_number(sources.size());
  for (const SelectedSource& source : sources) {
    key.add(source.name);
    key.add(source_digest(source, named));
  }
  return key.finish();
}

}  // namespace mybuild::ops

// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/selection_walk.h"

#include "snapshotter/base/cpu.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"

#include <memory>

namespace mybuild::ops {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::ListedEntry;
using snapshotter::TreeView;

Result<Include> Include::compile(const std::string& pattern) {
  Include include(TRY(frontend::PatternMatcher::compile({pattern})));
  for (const std::string& part : path_components(pattern)) {
    if (part.find("**") != std::string::npos) {
      include.any_depth_ = true;
      break;
    }
    frontend::Glob glob = TRY(frontend::Glob::compile(part, frontend::Glob::Dialect::Match));
    include.parts_.push_back(std::move(glob));
  }
  return include;
}

bool Include::may_lead_to_match(std::string_view directory) const {
  const std::vector<std::string> names = path_components(directory);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == parts_.size()) {
      return any_depth_;
    }
    if (!parts_[i].matches(names[i])) {
      return false;
    }
  }
  return true;
}

namespace {

/// Fewer directories than these are read before oneTBB is loaded.
constexpr std::size_t kParallelFrom = 64;

struct Directory;

struct Subdirectory {
  std::size_t at = 0;       // its entry's place in the directory that it is in
  bool only_leads = false;  // kept if something below it is
  std::unique_ptr<Directory> inside;
};

struct Directory {
  std::string path;   // in the tree
  std::string below;  // below the source
  std::vector<SelectedEntry> entries;
  std::vector<Subdirectory> subdirectories;
  Status status;
};

class Walk {
 public:
  Walk(const TreeView& tree, const WalkFilter& filter) : tree_(tree), filter_(filter) {}

  Result<SelectedSource> run(std::string name, const Entry& root) {
    SelectedSource source{.name = std::move(name),
                          .path = root.path,
                          .is_directory = root.type == EntryType::Directory,
                          .entries = {},
                          .listings = {}};
    SelectedEntry self{.entry = root, .hard_link = {}};
    if (root.type == EntryType::File) {
      self.hard_link = TRY(tree_.hard_link_id(root.path));
    }
    source.append({std::move(self)});
    if (source.is_directory) {
      Directory top;
      top.path = root.path;
      TRY(read_levels(top));
      source.entries.reserve(1 + found_);
      flatten(top, source);
    }
    return source;
  }

 private:
  enum class Fate { Taken, OnlyLeads, Skipped };

  Fate fate_of(const std::string& below) const {
    const bool excluded = filter_.excludes.matches(below);
    const bool included = filter_.include == nullptr || filter_.include->matches(below);
    if ((excluded && !filter_.excludes.may_include_below(below)) ||
        (!included && !filter_.include->may_lead_to_match(below))) {
      return Fate::Skipped;
    }
    return excluded || !included ? Fate::OnlyLeads : Fate::Taken;
  }

  Status read(Directory& directory) const {
    if (filter_.include == nullptr && filter_.excludes.empty()) {
      return read_all(directory);
    }
    std::vector<std::pair<std::string, Fate>> fates;  // of the wanted names, in their order
    const auto wanted = [&](const std::string& name) {
      std::string below = join_path(directory.below, name);
      const Fate fate = fate_of(below);
      if (fate != Fate::Skipped) {
        fates.emplace_back(std::move(below), fate);
      }
      return fate != Fate::Skipped;
    };
    auto fate = std::size_t{0};
    for (SelectedEntry& listed : TRY(tree_.read_directory(directory.path, wanted))) {
      const std::string below = join_path(directory.below, base_name(listed.entry.path));
      while (fates[fate].first != below) {
        ++fate;  // a name without an entry
      }
      const bool only_leads = fates[fate].second == Fate::OnlyLeads;
      if (!only_leads || listed.entry.type == EntryType::Directory) {
        directory.entries.push_back(std::move(listed));
        note_subdirectory(directory, directory.entries.size() - 1, only_leads);
      }
    }
    return {};
  }

  Status read_all(Directory& directory) const {
    const auto any = [](const std::string&) { return true; };
    directory.entries = TRY(tree_.read_directory(directory.path, any));
    for (std::size_t i = 0; i < directory.entries.size(); ++i) {
      note_subdirectory(directory, i, false);
    }
    return {};
  }

  static void note_subdirectory(Directory& directory, std::size_t at, bool only_leads) {
    const Entry& entry = directory.entries[at].entry;
    if (entry.type == EntryType::Directory) {
      auto inside = std::make_unique<Directory>();
      inside->path = entry.path;
      inside->below = join_path(directory.below, base_name(entry.path));
      directory.subdirectories.push_back(
          {.at = at, .only_leads = only_leads, .inside = std::move(inside)});
    }
  }

  Status read_levels(Directory& top) {
    std::vector<Directory*> level{&top};
    while (!level.empty()) {
      read_level(level);
      std::vector<Directory*> next;
      for (Directory* directory : level) {
        TRY(Status(directory->status));
        found_ += directory->entries.size();
        for (const Subdirectory& subdirectory : directory->subdirectories) {
          next.push_back(subdirectory.inside.get());
        }
      }
      level = std::move(next);
    }
    return {};
  }

  /// Also when the next level is going to be large.
  void read_level(const std::vector<Directory*>& level) const {
    const auto read_one = [&](std::size_t i) { level[i]->status = read(*level[i]); };
    std::size_t done = 0;
    if (level.size() < kParallelFrom) {
      for (std::size_t below = 0; done < level.size() && below < kParallelFrom; ++done) {
        read_one(done);
        below += level[done]->subdirectories.size();
      }
    }
    if (done < level.size()) {
      cpu::for_each(level.size() - done, [&](std::size_t i) { read_one(done + i); });
    }
  }

  /// Depth first: a directory, then all below it, then its next sibling.
  static void flatten(Directory& directory, SelectedSource& source) {
    std::size_t next = 0;
    const auto take_until = [&](std::size_t end) {
      for (; next < end; ++next) {
        source.entries.emplace_back(directory.entries[next]);
      }
    };
    for (const Subdirectory& subdirectory : directory.subdirectories) {
      take_until(subdirectory.at + 1);
      const std::size_t kept = source.entries.size();
      flatten(*subdirectory.inside, source);
      if (subdirectory.only_leads && source.entries.size() == kept) {
        source.entries.pop_back();
      }
    }
    take_until(directory.entries.size());
    // A vector's elements stay where they are when it moves.
    source.listings.push_back(
        std::make_unique<std::vector<SelectedEntry>>(std::move(directory.entries)));
  }

  const TreeView& tree_;
  const WalkFilter& filter_;
  std::size_t found_ = 0;
};

}  // namespace

Result<SelectedSource> walk_source(const TreeView& tree, const WalkFilter& filter, std::string name,
                                   const Entry& root) {
  return Walk(tree, filter).run(std::move(name), root);
}

}  // namespace mybuild::ops

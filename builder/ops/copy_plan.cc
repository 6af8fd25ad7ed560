// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/copy_plan.h"

#include "snapshotter/base/file.h"

#include <map>

namespace mybuild::ops {

using snapshotter::Entry;
using snapshotter::EntryType;

Entry directory_model(const CopyPlanOptions& options) {
  Entry model;
  model.type = EntryType::Directory;
  model.mode = options.mode ? options.mode->for_new_directory() : 0755;
  model.uid = options.owner ? options.owner->uid : 0;
  model.gid = options.owner ? options.owner->gid : 0;
  model.mtime = options.invented_mtime;
  return model;
}

namespace {

class CopyPlanner {
 public:
  CopyPlanner(StagedTree& to, const snapshotter::EntryContents& from,
              const CopyPlanOptions& options)
      : to_(to), from_(from), options_(options) {}

  Status run(const SelectedSource& source) {
    const std::string dest = TRY(to_.resolve(options_.dest));
    const std::optional<Entry> there = TRY(to_.lookup(dest));
    const std::string target = TRY(prepare_target(source));
    for (const SelectedEntry& selected : source.entries) {
      const std::string_view below = source.below(selected);
      if (below.empty() && source.is_directory) {
        if (!there) {
          TRY(date(target, selected.entry.mtime));
        }
        continue;  // all else of the destination stays what it is
      }
      TRY(place(selected, below.empty() ? target : join_path(target, below)));
    }
    return {};
  }

 private:
  /// Where the source, or a directory's contents, go; the directories that lead there are made.
  Result<std::string> prepare_target(const SelectedSource& source) {
    const std::string& dest = options_.dest;
    const Entry model = directory_model(options_);
    const std::string into =
        dest.substr(0, dest.rfind('/') + 1);  // all of it if it ends with a slash
    const std::string parent = TRY(to_.resolve(into));
    TRY(to_.make_dirs(parent, model));
    std::string target = TRY(to_.resolve(dest));
    const std::optional<Entry> there = TRY(to_.lookup(target));
    if (source.is_directory) {
      TRY(to_.make_dirs(target, model));
    } else if (there && there->type == EntryType::Directory) {
      target = join_path(target, source.name);
    } else {
      const std::size_t slash = target.rfind('/');
      TRY(to_.make_dirs(slash == std::string::npos ? "" : target.substr(0, slash), model));
    }
    return target;
  }

  Status date(const std::string& directory, struct timespec mtime) {
    std::optional<Entry> entry = TRY(to_.lookup(directory));
    if (!entry || directory.empty()) {
      return {};
    }
    entry->mtime = mtime;
    return to_.put(std::move(*entry), {});
  }

  Status place(const SelectedEntry& selected, const std::string& target) {
    Entry entry = selected.entry;
    entry.path = target;
    if (options_.owner) {
      entry.uid = options_.owner->uid;
      entry.gid = options_.owner->gid;
    }
    if (options_.mode && entry.type != EntryType::Symlink) {
      entry.mode = options_.mode->apply(entry.mode, entry.type == EntryType::Directory);
    }
    if (entry.type != EntryType::File) {
      return to_.put(std::move(entry), {});
    }
    if (selected.hard_link) {
      const auto [first, is_new] = first_names_.emplace(*selected.hard_link, target);
      if (!is_new && first->second != target) {
        entry.type = EntryType::HardLink;
        entry.link = first->second;
        entry.size = 0;
        entry.content.reset();
        return to_.put(std::move(entry), {});
      }
    }
    return to_.put(std::move(entry),
                   [&from = from_, &source = selected.entry] { return from.open(source); });
  }

  StagedTree& to_;
  const snapshotter::EntryContents& from_;
  const CopyPlanOptions& options_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> first_names_;
};

}  // namespace

Status plan_copy(StagedTree& to, const snapshotter::EntryContents& from,
                 const SelectedSource& source, const CopyPlanOptions& options) {
  return CopyPlanner(to, from, options).run(source);
}

}  // namespace mybuild::ops

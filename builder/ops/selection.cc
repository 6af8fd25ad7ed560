// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/selection.h"

#include "frontend/ignore/glob.h"
#include "frontend/ignore/pattern.h"
#include "snapshotter/base/cpu.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"
#include "solver/key.h"

#include <algorithm>
#include <map>

namespace mybuild::ops {

namespace {

using frontend::PatternMatcher;
using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TreeView;

std::string join(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

/// What --parents takes: all that a pattern matches. It knows which directories may lead to a
/// match, so that the walk need not look at the whole tree.
class Include {
 public:
  static Result<Include> compile(const std::string& pattern) {
    Include include(TRY(PatternMatcher::compile({pattern})));
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

  bool matches(std::string_view path) const { return matcher_.matches(path); }
  bool may_lead_to_match(std::string_view directory) const {
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

 private:
  explicit Include(PatternMatcher matcher) : matcher_(std::move(matcher)) {}

  PatternMatcher matcher_;
  std::vector<frontend::Glob> parts_;  // of the components in front of the first "**"
  bool any_depth_ = false;
};

/// Walks one source and keeps what is not excluded. Exclusion is about what lies below the source:
/// a file that was named is taken.
class Walk {
 public:
  Walk(const TreeView& tree, const PatternMatcher& excludes, const Include* include)
      : tree_(tree), excludes_(excludes), include_(include) {}

  Result<SelectedSource> run(std::string name, const Entry& root) {
    SelectedSource source{
        .name = std::move(name), .is_directory = root.type == EntryType::Directory, .entries = {}};
    if (!source.is_directory) {
      TRY(keep(source, "", root));
      return source;
    }
    source.entries.push_back(SelectedEntry{.below = "", .entry = root, .hard_link = {}});
    TRY(descend(source, root.path, ""));
    return source;
  }

 private:
  Status descend(SelectedSource& source, const std::string& directory, const std::string& below) {
    for (const std::string& name : TRY(tree_.list(directory))) {
      const std::string path = join(directory, name);
      const std::string relative = join(below, name);
      const bool excluded = excludes_.matches(relative);
      const bool included = include_ == nullptr || include_->matches(relative);
      if ((excluded && !excludes_.may_include_below(relative)) ||
          (!included && !include_->may_lead_to_match(relative))) {
        continue;
      }
      const std::optional<Entry> entry = TRY(tree_.lookup(path));
      const bool only_leads = excluded || !included;
      if (!entry || (only_leads && entry->type != EntryType::Directory)) {
        continue;
      }
      TRY(keep(source, relative, *entry));
      const std::size_t kept = source.entries.size();
      if (entry->type == EntryType::Directory) {
        TRY(descend(source, path, relative));
      }
      if (only_leads && source.entries.size() == kept) {
        source.entries.pop_back();
      }
    }
    return {};
  }

  Status keep(SelectedSource& source, std::string below, const Entry& entry) {
    SelectedEntry selected{.below = std::move(below), .entry = entry, .hard_link = {}};
    if (entry.type == EntryType::File) {
      selected.hard_link = TRY(tree_.hard_link_id(entry.path));
    }
    source.entries.push_back(std::move(selected));
    return {};
  }

  const TreeView& tree_;
  const PatternMatcher& excludes_;
  const Include* include_;
};

/// The longest leading part of a pattern without wildcards, and the rest.
struct SplitPattern {
  std::string literal;
  std::string wild;  // empty: no wildcard at all
};

SplitPattern split_pattern(const std::string& pattern) {
  SplitPattern split;
  for (const std::string& part : path_components(pattern)) {
    const bool wild = !split.wild.empty() || frontend::has_wildcards(part);
    std::string& side = wild ? split.wild : split.literal;
    side = join(side, part);
  }
  return split;
}

/// Paths below `directory` that match `pattern` as a whole; what matches is not looked into.
Status glob(const TreeView& tree, const std::string& directory, const std::string& below,
            const std::string& pattern, std::vector<std::string>& matches) {
  for (const std::string& name : TRY(tree.list(directory))) {
    const std::string path = join(directory, name);
    const std::string relative = join(below, name);
    if (TRY(frontend::match_glob(pattern, relative))) {
      matches.push_back(path);
      continue;
    }
    const auto depth = std::count(relative.begin(), relative.end(), '/');
    if (depth >= std::count(pattern.begin(), pattern.end(), '/')) {
      continue;  // a match has as many components as the pattern
    }
    const std::optional<Entry> entry = TRY(tree.lookup(path));
    if (entry && entry->type == EntryType::Directory) {
      TRY(glob(tree, path, relative, pattern, matches));
    }
  }
  return {};
}

Error missing(const std::string& pattern) {
  return not_found("\"{}\": not found", pattern.starts_with('/') ? pattern : "/" + pattern);
}

Result<std::vector<std::string>> match(const TreeView& tree, const std::string& pattern,
                                       bool wildcards) {
  const SplitPattern split = wildcards
                                 ? split_pattern(pattern)
                                 : SplitPattern{.literal = clean_relative(pattern), .wild = {}};
  if (split.wild.empty()) {
    return std::vector<std::string>{split.literal};
  }
  std::vector<std::string> matches;
  const std::string directory = TRY(tree.resolve(split.literal));
  const std::optional<Entry> start = TRY(tree.lookup(directory));
  if (!start || start->type != EntryType::Directory) {
    return matches;
  }
  TRY(glob(tree, directory, "", split.wild, matches));
  return matches;
}

Result<std::vector<SelectedSource>> select_plain(const TreeView& tree, const std::string& pattern,
                                                 const PatternMatcher& excludes, bool wildcards) {
  std::vector<SelectedSource> sources;
  for (const std::string& path : TRY(match(tree, pattern, wildcards))) {
    const std::string real = TRY(tree.resolve(path));
    const std::optional<Entry> root = TRY(tree.lookup(real));
    if (!root) {
      return missing(pattern);
    }
    SelectedSource source =
        TRY(Walk(tree, excludes, nullptr).run(std::string(base_name(path)), *root));
    sources.push_back(std::move(source));
  }
  return sources;
}

/// --parents: everything that the pattern matches, with the directories that lead to it from the
/// root or the pivot.
Result<std::vector<SelectedSource>> select_parents(const TreeView& tree, const std::string& pattern,
                                                   const PatternMatcher& excludes) {
  const std::size_t pivot_at = pattern.find("/./");
  const std::string pivot = pivot_at == std::string::npos ? "" : pattern.substr(0, pivot_at);
  const std::string below =
      clean_relative(pivot_at == std::string::npos ? pattern : pattern.substr(pivot_at + 3));
  std::optional<Include> include;
  if (!below.empty()) {
    include = TRY(Include::compile(below));
  }
  const bool is_wild = frontend::has_wildcards(pattern);
  std::vector<SelectedSource> sources;
  for (const std::string& base : TRY(match(tree, pivot, true))) {
    const std::string real = TRY(tree.resolve(base));
    const std::optional<Entry> root = TRY(tree.lookup(real));
    bool is_there = root && root->type == EntryType::Directory;
    if (is_there && !frontend::has_wildcards(below)) {
      const std::optional<Entry> named = TRY(tree.lookup(join(real, below)));
      is_there = named.has_value();
    }
    if (!is_there) {
      if (is_wild) {
        continue;
      }
      return missing(pattern);
    }
    SelectedSource source = TRY(Walk(tree, excludes, include ? &*include : nullptr).run("", *root));
    sources.push_back(std::move(source));
  }
  return sources;
}

}  // namespace

Result<std::vector<SelectedSource>> select(const TreeView& tree,
                                           const std::vector<std::string>& patterns,
                                           const SelectOptions& options) {
  const PatternMatcher excludes = TRY(PatternMatcher::compile(options.excludes));
  std::vector<SelectedSource> all;
  for (const std::string& pattern : patterns) {
    std::vector<SelectedSource> sources =
        TRY(options.parents ? select_parents(tree, pattern, excludes)
                            : select_plain(tree, pattern, excludes, options.wildcards));
    std::move(sources.begin(), sources.end(), std::back_inserter(all));
  }
  return all;
}

namespace {

Result<Digest> hash_file(const TreeView& tree, const Entry& entry) {
  const Fd fd = TRY(tree.open(entry));
  Hasher hasher;
  std::vector<std::byte> buffer(std::min<std::size_t>(entry.size + 1, 256 * 1024));
  for (;;) {
    const std::size_t count = TRY(sys::read(fd.get(), buffer));
    if (count == 0) {
      return hasher.finish();
    }
    hasher.update(ByteSpan(buffer).first(count));
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
  // Files are handed out in runs, so that a job is worth more than its dispatch.
  constexpr std::size_t kRun = 64;
  const std::size_t runs = (files.size() + kRun - 1) / kRun;
  std::vector<Status> failures(runs);
  const auto hash_run = [&](std::size_t run) {
    const std::size_t end = std::min(files.size(), (run + 1) * kRun);
    for (std::size_t i = run * kRun; i < end; ++i) {
      Result<Digest> digest = hash_file(tree, *files[i]);
      if (!digest) {
        failures[run] = std::move(digest).error().context(files[i]->path);
        return;
      }
      files[i]->content = *digest;
    }
  };
  if (runs == 1) {
    hash_run(0);
  } else {
    cpu::for_each(runs, hash_run);
  }
  for (const Status& failure : failures) {
    TRY(failure);
  }
  return {};
}

namespace {

/// What a source brings as the list of a layer: of the names of one file the first is the file, the
/// others are links to it, as the copy makes them.
snapshotter::ChangeList as_changes(const SelectedSource& source, NamedDirectories named) {
  snapshotter::ChangeList entries;
  entries.reserve(source.entries.size());
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> first_names;
  for (const SelectedEntry& selected : source.entries) {
    Entry entry = selected.entry;
    entry.path = selected.below;
    if (source.is_directory && selected.below.empty() && named == NamedDirectories::NotShown) {
      entry = Entry();
      entry.type = EntryType::Directory;
    }
    if (selected.hard_link) {
      const auto [first, is_new] = first_names.emplace(*selected.hard_link, entry.path);
      if (!is_new) {
        entry.type = EntryType::HardLink;
        entry.link = first->second;
        entry.size = 0;
        entry.content.reset();
      }
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

Digest selection_digest(const std::vector<SelectedSource>& sources, NamedDirectories named) {
  solver::KeyBuilder key("mybuild.selection.v2");
  key.add_number(sources.size());
  for (const SelectedSource& source : sources) {
    key.add(source.name);
    key.add(snapshotter::change_digest(as_changes(source, named)));
  }
  return key.finish();
}

}  // namespace mybuild::ops

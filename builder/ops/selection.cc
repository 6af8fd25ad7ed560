// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/selection.h"

#include "builder/ops/selection_walk.h"
#include "frontend/ignore/glob.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"

#include <algorithm>
#include <map>

namespace mybuild::ops {

namespace {

using frontend::PatternMatcher;
using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TreeView;

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
    side = join_path(side, part);
  }
  return split;
}

struct WildPattern {
  frontend::Glob glob;
  std::ptrdiff_t depth = 0;  // slashes
};

/// Paths below `directory` that match `pattern` as a whole; what matches is not looked into.
Status glob(const TreeView& tree, const std::string& directory, const std::string& below,
            const WildPattern& pattern, std::vector<std::string>& matches) {
  for (const std::string& name : TRY(tree.list(directory))) {
    const std::string path = join_path(directory, name);
    const std::string relative = join_path(below, name);
    if (pattern.glob.matches(relative)) {
      matches.push_back(path);
      continue;
    }
    const auto depth = std::count(relative.begin(), relative.end(), '/');
    if (depth >= pattern.depth) {
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
  frontend::Glob compiled =
      TRY(frontend::Glob::compile(split.wild, frontend::Glob::Dialect::Match));
  std::vector<std::string> matches;
  const std::string directory = TRY(tree.resolve(split.literal));
  const std::optional<Entry> start = TRY(tree.lookup(directory));
  if (!start || start->type != EntryType::Directory) {
    return matches;
  }
  const WildPattern pattern_below{.glob = std::move(compiled),
                                  .depth = std::count(split.wild.begin(), split.wild.end(), '/')};
  TRY(glob(tree, directory, "", pattern_below, matches));
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
        TRY(walk_source(tree, {excludes, nullptr}, std::string(base_name(path)), *root));
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
      const std::optional<Entry> named = TRY(tree.lookup(join_path(real, below)));
      is_there = named.has_value();
    }
    if (!is_there) {
      if (is_wild) {
        continue;
      }
      return missing(pattern);
    }
    SelectedSource source =
        TRY(walk_source(tree, {excludes, include ? &*include : nullptr}, "", *root));
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

}  // namespace mybuild::ops

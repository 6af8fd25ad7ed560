// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/missing_source.h"

#include "builder/ops/trees.h"
#include "frontend/dockerfile/suggest.h"
#include "frontend/ignore/dockerignore.h"
#include "frontend/ignore/pattern.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"

#include <fcntl.h>

#include <deque>

namespace mybuild::ops {

namespace {

using snapshotter::Entry;
using snapshotter::EntryType;
using snapshotter::TreeView;

constexpr std::size_t kMaxIgnoreFile = 16 << 20;
constexpr std::size_t kMaxSearched = 5000;  // entries; a hint is not worth more
constexpr std::size_t kMaxNames = 1000;     // of one directory

bool exists(const TreeView& tree, const std::string& path) {
  const Result<std::string> resolved = tree.resolve(path);
  if (!resolved) {
    return false;
  }
  const Result<std::optional<Entry>> entry = tree.lookup(*resolved);
  return entry && entry->has_value();
}

bool is_directory(const TreeView& tree, const std::string& path) {
  const Result<std::optional<Entry>> entry = tree.lookup(path);
  return entry && entry->has_value() && (*entry)->type == EntryType::Directory;
}

/// The first source without wildcards that the tree does not have.
std::string find_missing(const TreeView& tree, const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    std::string path = clean_relative(source);
    if (!frontend::has_wildcards(path) && !exists(tree, path)) {
      return path;
    }
  }
  return {};
}

/// The directory has the file, but a line of its ignore file hides it, or what it links to.
std::string hint_of_ignored(const LocalDirectory& directory, const std::string& path) {
  const auto files = snapshotter::open_directory_view(directory.path);
  if (!files || !exists(**files, path)) {
    return {};
  }
  const Result<std::string> text =
      read_regular_file(AT_FDCWD, directory.ignore_file, kMaxIgnoreFile);
  const Result<std::string> real = (*files)->resolve(path);
  if (!text || !real) {
    return {};
  }
  for (const std::string& name : {path, *real}) {
    if (const auto rule = frontend::excluding_rule(*text, name)) {
      return fmt::format("{} is excluded by line {} of {}: {}", name, rule->line,
                         base_name(directory.ignore_file), rule->text);
    }
  }
  return {};
}

/// A name that is close to the first component that is missing, if the rest of the path is there.
std::string find_close(const TreeView& tree, const std::string& path) {
  std::string directory;
  std::vector<std::string> parts = path_components(path);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string next = join_path(directory, parts[i]);
    if (exists(tree, next)) {
      directory = next;
      continue;
    }
    Result<std::vector<std::string>> names = tree.list(tree.resolve(directory).value_or(""));
    if (!names || names->size() > kMaxNames) {
      return {};
    }
    std::string close = join_path(directory, frontend::closest(parts[i], *names));
    if (close == directory) {
      return {};
    }
    for (std::size_t rest = i + 1; rest < parts.size(); ++rest) {
      close = join_path(close, parts[rest]);
    }
    return exists(tree, close) ? close : std::string();
  }
  return {};
}

/// The same name in another directory, the nearest to the root.
std::string find_elsewhere(const TreeView& tree, const std::string& path) {
  const std::string_view wanted = base_name(path);
  std::size_t searched = 0;
  for (std::deque<std::string> todo{""}; !todo.empty() && searched < kMaxSearched;) {
    const std::string directory = std::move(todo.front());
    todo.pop_front();
    const Result<std::vector<std::string>> names = tree.list(directory);
    if (!names) {
      continue;
    }
    for (const std::string& name : *names) {
      std::string at = join_path(directory, name);
      if (name == wanted) {
        return at;
      }
      if (++searched < kMaxSearched && is_directory(tree, at)) {
        todo.push_back(std::move(at));
      }
    }
  }
  return {};
}

std::string hint_for(const TreeView& tree, const LocalDirectory* directory,
                     const std::string& path) {
  if (directory != nullptr) {
    std::string ignored = hint_of_ignored(*directory, path);
    if (!ignored.empty()) {
      return ignored;
    }
  }
  std::string close = find_close(tree, path);
  if (close.empty()) {
    close = find_elsewhere(tree, path);
  }
  return close.empty() ? std::string() : fmt::format("did you mean {}?", close);
}

}  // namespace

Error explain_missing(Error error, const solver::ResultPtr& input,
                      const std::vector<std::string>& sources, const OpDeps& deps) {
  if (error.kind() != ErrorKind::NotFound) {
    return error;
  }
  const auto* context = dynamic_cast<const ContextResult*>(input.get());
  error = std::move(error).context(
      fmt::format("failed to compute cache key: failed to calculate checksum of ref {}",
                  context != nullptr ? context->name : "stage"));
  const Result<View> view = open_view(input, deps);
  if (!view) {
    return error;
  }
  const std::string path = find_missing(*view->view, sources);
  const auto directory =
      context != nullptr ? deps.directories.find(context->name) : deps.directories.end();
  return path.empty()
             ? error
             : std::move(error).with_hint(hint_for(
                   *view->view, directory == deps.directories.end() ? nullptr : &directory->second,
                   path));
}

}  // namespace mybuild::ops

// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/provider.h"

#include "builder/git/helper/git_dir.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <linux/openat2.h>

namespace mybuild::git {

namespace {

constexpr const char* kModulesFile = ".gitmodules";
constexpr git_object_size_t kLongestModulesFile = git_object_size_t{1} << 20U;

std::string joined(const std::string& left, const std::string& right) {
  return left.empty() ? right : right.empty() ? left : left + "/" + right;
}

Result<std::map<std::string, Submodule>> read_modules(git_repository* repository,
                                                      const git_tree* tree) {
  const git_tree_entry* entry = git_tree_entry_byname(tree, kModulesFile);
  if (entry == nullptr) {
    return std::map<std::string, Submodule>();
  }
  const git_filemode_t mode = git_tree_entry_filemode(entry);
  if (mode != GIT_FILEMODE_BLOB && mode != GIT_FILEMODE_BLOB_EXECUTABLE) {
    return make_error(ErrorKind::Denied, ".gitmodules is no regular file, which is refused");
  }
  const Blob blob =
      TRY(lookup<Blob>(repository, *git_tree_entry_id(entry), GIT_OBJECT_BLOB, "read .gitmodules"));
  if (git_blob_rawsize(blob.get()) > kLongestModulesFile) {
    return invalid_argument(".gitmodules is larger than 1 MiB");
  }
  return parse_gitmodules({static_cast<const char*>(git_blob_rawcontent(blob.get())),
                           static_cast<std::size_t>(git_blob_rawsize(blob.get()))});
}

Status empty_directory(int directory) {
  for (const std::string& name : TRY(sys::list_dir(directory))) {
    TRY(remove_tree(directory, name));
  }
  return {};
}

/// Trees need not be sorted or free of doubles: a name that means two things is not guessed at.
Result<const git_tree_entry*> only_entry(const git_tree* tree, const std::string& name,
                                         const std::string& path) {
  const git_tree_entry* found = nullptr;
  for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
    if (name != git_tree_entry_name(entry)) {
      continue;
    }
    if (found != nullptr) {
      return two_entries(path);
    }
    found = entry;
  }
  if (found == nullptr) {
    return not_found("the commit has no directory '{}'", path);
  }
  return found;
}

}  // namespace

Result<HelperResult> Provider::provide() {
  const HelperRequest& request = session_.request();
  Place root;
  root.wanted.remote = TRY(parse_remote(request.remote));
  root.wanted.object = request.object;
  root.wanted.ref_name = request.ref_name;
  root.subdir = request.subdir;
  TRY(place(root));
  // The last entry that was made in it gave the directory another time.
  const Fd target = TRY(sys::open(request.destination, O_RDONLY | O_DIRECTORY));
  TRY(sys::fchmod(target.get(), 0755));
  TRY(sys::set_times(target.get(), {.tv_sec = result_.time, .tv_nsec = 0}));
  return result_;
}

Status Provider::place(const Place& place) {
  const Found found = TRY(check_out(place));
  return session_.request().submodules ? place_submodules(place, found) : Status();
}

/// A mirror that lacks what it should have (a disk that lost bytes) is made anew, once.
Result<Provider::Found> Provider::check_out(const Place& place) {
  const Budget before = budget_;
  Located located = TRY(locate(session_, place.wanted));
  Result<Found> found = write(located, place);
  if (found || found.error().kind() != ErrorKind::DataLoss) {
    return found;
  }
  located.repository.reset();
  TRY(located.mirror.lock(FileLock::Mode::Exclusive));
  TRY(located.mirror.discard());
  located.mirror.unlock();
  const Fd target = TRY(open_target(place));
  TRY(empty_directory(target.get()));
  budget_ = before;
  located = TRY(locate(session_, place.wanted));
  return write(located, place);
}

Result<Provider::Found> Provider::write(const Located& located, const Place& place) {
  git_repository* repository = located.repository.get();
  const git_oid object = TRY(parse_oid(place.wanted.object));
  const Commit commit = TRY(lookup_commit(repository, object));
  if (place.depth == 0) {
    result_.commit = hex(*git_commit_id(commit.get()));
    result_.time = git_commit_time(commit.get());
  }
  git_tree* found_tree = nullptr;
  TRY(check(git_commit_tree(&found_tree, commit.get()), "read the commit's tree"));
  Tree root(found_tree);
  Found found;
  found.modules = TRY(read_modules(repository, root.get()));
  bool has_attributes = false;
  const Tree tree = TRY(enter(repository, std::move(root), place, found, has_attributes));
  if (!tree) {
    return found;
  }
  const Fd target = TRY(open_target(place));
  TreeWriter writer(repository, *git_commit_id(commit.get()), result_.time, session_.reporter(),
                    budget_);
  TRY(writer.write(tree.get(), place.subdir, has_attributes, target.get()));
  found.links = writer.gitlinks();
  if (place.depth == 0 && session_.request().keep_git_dir && place.subdir.empty()) {
    TRY(keep_git_dir(located));
  }
  return found;
}

/// The tree of the subdir; null when it lies in a submodule, which is in `found` then.
Result<Tree> Provider::enter(git_repository* repository, Tree root, const Place& place,
                             Found& found, bool& has_attributes) {
  Tree tree = std::move(root);
  std::string path;
  const std::vector<std::string> names = path_components(place.subdir);
  for (std::size_t i = 0; i < names.size(); ++i) {
    has_attributes = has_attributes || has_attributes_file(tree.get());
    path = joined(path, names[i]);
    const git_tree_entry* entry = TRY(only_entry(tree.get(), names[i], path));
    switch (git_tree_entry_filemode(entry)) {
      case GIT_FILEMODE_TREE:
        tree = TRY(lookup<Tree>(repository, *git_tree_entry_id(entry), GIT_OBJECT_TREE,
                                "read the tree of " + path));
        break;
      case GIT_FILEMODE_COMMIT:
        found.links = {{.path = path, .commit = *git_tree_entry_id(entry)}};
        found.leads_on = true;
        for (std::size_t k = i + 1; k < names.size(); ++k) {
          found.rest = joined(found.rest, names[k]);
        }
        if (!session_.request().submodules && !found.rest.empty()) {
          return not_found("the commit has no directory '{}': '{}' is a submodule", place.subdir,
                           path)
              .with_hint("submodules were turned off");
        }
        return Tree();
      case GIT_FILEMODE_LINK:
        return make_error(ErrorKind::Denied,
                          "'{}' is a symbolic link: a subdir must not lead "
                          "through one",
                          path);
      default:
        return invalid_argument("'{}' is a file, no directory", path);
    }
  }
  return tree;
}

Status Provider::keep_git_dir(const Located& located) {
  const HelperRequest& request = session_.request();
  const Remote remote = TRY(parse_remote(request.remote));
  GitDir git_dir;
  git_dir.repository = located.repository.get();
  git_dir.object = TRY(parse_oid(request.object));
  git_dir.ref_name = request.ref_name;
  git_dir.url = shown(remote);
  git_dir.time = result_.time;
  return write_git_dir(git_dir, request.destination, session_.reporter());
}

Status Provider::place_submodules(const Place& parent, const Found& found) {
  for (const Gitlink& link : found.links) {
    const auto module = found.modules.find(link.path);
    if (module != found.modules.end() && module->second.update == "none") {
      continue;
    }
    const std::string name = joined(parent.name, link.path);
    Result<Place> inner = submodule(parent, found, link);
    if (!inner) {
      return std::move(inner).error().context("submodule " + name);
    }
    TRY(place(*inner).context("submodule " + name));
  }
  return {};
}

Result<Provider::Place> Provider::submodule(const Place& parent, const Found& found,
                                            const Gitlink& link) {
  if (parent.depth + 1 > kMaxSubmoduleDepth || ++submodules_ > kMaxSubmodules) {
    return make_error(ErrorKind::Unsupported, "more than {} submodules, or more than {} deep",
                      kMaxSubmodules, kMaxSubmoduleDepth);
  }
  const auto module = found.modules.find(link.path);
  if (module == found.modules.end() || module->second.url.empty()) {
    return not_found(".gitmodules has no URL for it")
        .with_hint("build without submodules: add ?submodules=false to the URL");
  }
  Place inner;
  inner.wanted.remote = TRY(submodule_remote(parent.wanted.remote, module->second.url));
  inner.wanted.object = hex(link.commit);
  inner.depth = parent.depth + 1;
  inner.name = joined(parent.name, link.path);
  if (found.leads_on) {
    inner.subdir = found.rest;
    inner.target = parent.target;
  } else {
    const std::size_t skipped = parent.subdir.empty() ? 0 : parent.subdir.size() + 1;
    inner.target = joined(parent.target, link.path.substr(skipped));
  }
  return inner;
}

Result<Fd> Provider::open_target(const Place& place) const {
  const Fd root = TRY(sys::open(session_.request().destination, O_RDONLY | O_DIRECTORY));
  if (place.target.empty()) {
    return sys::dup(root.get());
  }
  return sys::open_at2(root.get(), place.target, O_RDONLY | O_DIRECTORY,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

}  // namespace mybuild::git

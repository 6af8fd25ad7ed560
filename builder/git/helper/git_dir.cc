// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/git_dir.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

namespace mybuild::git {

namespace {

constexpr int kMaxTags = 16;  // a tag of a tag of a tag …

/// As git's config wants values with special characters.
std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return quoted + "\"";
}

int report_packing(int, std::uint32_t current, std::uint32_t total, void* payload) {
  static_cast<Reporter*>(payload)->progress(
      {.text = "packing the commit", .current = current, .total = total});
  return 0;
}

/// One thread, so that the same objects make the same pack.
Status write_pack(const GitDir& from, const Commit& commit, const std::string& folder,
                  Reporter& reporter) {
  git_packbuilder* made = nullptr;
  TRY(check(git_packbuilder_new(&made, from.repository), "make a pack"));
  const PackBuilder pack(made);
  git_packbuilder_set_threads(pack.get(), 1);
  TRY(check(git_packbuilder_set_callbacks(pack.get(), report_packing, &reporter), "make a pack"));
  Object object =
      TRY(lookup<Object>(from.repository, from.object, GIT_OBJECT_ANY, "read the commit"));
  for (int i = 0; i < kMaxTags && git_object_type(object.get()) == GIT_OBJECT_TAG; ++i) {
    TRY(check(git_packbuilder_insert(pack.get(), git_object_id(object.get()), nullptr),
              "pack a tag"));
    git_object* next = nullptr;
    TRY(check(git_tag_target(&next, reinterpret_cast<git_tag*>(object.get())), "read a tag"));
    object.reset(next);
  }
  TRY(check(git_packbuilder_insert(pack.get(), git_commit_id(commit.get()), nullptr),
            "pack the commit"));
  TRY(check(git_packbuilder_insert_tree(pack.get(), git_commit_tree_id(commit.get())),
            "pack the commit's tree"));
  return check(git_packbuilder_write(pack.get(), folder.c_str(), 0444, nullptr, nullptr),
               "write the pack");
}

/// Without the stat data of files, which would be other ones in every checkout.
Status write_index(const Commit& commit, const std::string& path) {
  git_tree* found = nullptr;
  TRY(check(git_commit_tree(&found, commit.get()), "read the commit's tree"));
  const Tree tree(found);
  git_index* made = nullptr;
  TRY(check(git_index_open(&made, path.c_str()), "make an index"));
  const Index index(made);
  TRY(check(git_index_read_tree(index.get(), tree.get()), "fill the index"));
  return check(git_index_write(index.get()), "write the index");
}

std::string packed_refs(const GitDir& from, const git_oid& commit) {
  std::string text = fmt::format("# pack-refs with: peeled fully-peeled sorted \n{} {}\n",
                                 hex(from.object), from.ref_name);
  if (!git_oid_equal(&from.object, &commit)) {
    text += fmt::format("^{}\n", hex(commit));
  }
  return text;
}

/// Fixed times and modes for all of it.
Status settle(int parent, const std::string& name, struct timespec time) {
  const struct stat info = TRY(sys::lstat_at(parent, name));
  if (S_ISDIR(info.st_mode)) {
    const Fd folder = TRY(sys::open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    for (const std::string& inner : TRY(sys::list_dir(folder.get()))) {
      TRY(settle(folder.get(), inner, time));
    }
    TRY(sys::fchmod(folder.get(), 0755));
  } else {
    const bool packed = name.ends_with(".pack") || name.ends_with(".idx");
    TRY(sys::fchmod_at(parent, name, packed ? 0444 : 0644));
  }
  return sys::set_times_at(parent, name, time);
}

}  // namespace

Status write_git_dir(const GitDir& from, const std::string& directory, Reporter& reporter) {
  const Commit commit = TRY(lookup_commit(from.repository, from.object));
  const git_oid id = *git_commit_id(commit.get());
  const std::string git = directory + "/.git";
  for (const char* folder : {"/objects/pack", "/objects/info", "/refs/heads", "/refs/tags"}) {
    TRY(make_dirs(git + folder));
  }
  TRY(write_file(git + "/HEAD", hex(id) + "\n"));
  TRY(write_file(git + "/config",
                 fmt::format("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n"
                             "\tbare = false\n\tlogallrefupdates = true\n"
                             "[remote \"origin\"]\n\turl = {}\n"
                             "\tfetch = +refs/heads/*:refs/remotes/origin/*\n",
                             quoted(from.url))));
  if (git_commit_parentcount(commit.get()) > 0) {
    TRY(write_file(git + "/shallow", hex(id) + "\n"));
  }
  if (!from.ref_name.empty() && from.ref_name != "HEAD") {
    TRY(write_file(git + "/packed-refs", packed_refs(from, id)));
  }
  TRY(write_pack(from, commit, git + "/objects/pack", reporter));
  TRY(write_index(commit, git + "/index"));
  const Fd parent = TRY(sys::open(directory, O_RDONLY | O_DIRECTORY));
  return settle(parent.get(), ".git", {.tv_sec = from.time, .tv_nsec = 0});
}

}  // namespace mybuild::git

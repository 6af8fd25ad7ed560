// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/tree_writer.h"

#include "snapshotter/base/sys.h"

#include <algorithm>
#include <cctype>

namespace mybuild::git {

namespace {

constexpr const char* kAttributes = ".gitattributes";

std::string joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}/{}", path, name);
}

std::string printable(std::string_view text) {
  std::string clean(text.substr(0, 300));
  std::replace_if(
      clean.begin(), clean.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return clean;
}

/// An owner for what git_blob_filter gives.
class Filtered {
 public:
  Filtered() = default;
  Filtered(const Filtered&) = delete;
  Filtered& operator=(const Filtered&) = delete;
  ~Filtered() { git_buf_dispose(&buffer_); }
  git_buf* get() { return &buffer_; }
  ByteSpan bytes() const { return as_bytes(std::string_view(buffer_.ptr, buffer_.size)); }

 private:
  git_buf buffer_ = GIT_BUF_INIT;
};

Status name_twice(Status made, const std::string& path) {
  if (!made && made.error().kind() == ErrorKind::AlreadyExists) {
    return two_entries(path);
  }
  return made;
}

/// Permission bits vary in old repositories; a kind that git does not have is no accident.
Status check_kind(const git_tree_entry* entry, const std::string& path) {
  constexpr unsigned kKind = 0170000;
  const unsigned kind = static_cast<unsigned>(git_tree_entry_filemode_raw(entry)) & kKind;
  for (const unsigned known :
       {GIT_FILEMODE_BLOB, GIT_FILEMODE_TREE, GIT_FILEMODE_LINK, GIT_FILEMODE_COMMIT}) {
    if (kind == (known & kKind)) {
      return {};
    }
  }
  return invalid_argument("the commit has an entry '{}' that is no file, link or directory",
                          printable(path))
      .with_hint("the repository is damaged, or made to do harm");
}

}  // namespace

Status check_entry_name(std::string_view name, const std::string& path) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name.empty() || name == "." || name == ".." || lower == ".git" ||
      name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return invalid_argument("the commit has an entry named '{}' in '{}', which is refused",
                            printable(name), path.empty() ? "/" : printable(path))
        .with_hint("the repository is damaged, or made to do harm");
  }
  return {};
}

Error two_entries(const std::string& path) {
  return invalid_argument("the commit has two entries named '{}'", printable(path))
      .with_hint("the repository is damaged, or made to do harm");
}

bool has_attributes_file(const git_tree* tree) {
  return git_tree_entry_byname(tree, kAttributes) != nullptr;
}

/// Trees that hold one another many times are seen before they are written.
Result<std::uint64_t> TreeWriter::count(const git_tree* tree, std::size_t depth) {
  if (depth > kMaxTreeDepth) {
    return make_error(ErrorKind::Unsupported, "the commit has directories more than {} deep",
                      kMaxTreeDepth);
  }
  const std::string id = hex(*git_tree_id(tree));
  if (const auto known = counts_.find(id); known != counts_.end()) {
    return known->second;
  }
  std::uint64_t sum = 0;
  const std::size_t entries = git_tree_entrycount(tree);
  for (std::size_t i = 0; i < entries; ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
    sum += 1;
    if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
      const Tree inner =
          TRY(lookup<Tree>(repository_, *git_tree_entry_id(entry), GIT_OBJECT_TREE, "read a tree"));
      sum += TRY(count(inner.get(), depth + 1));
    }
    if (sum > budget_.files) {
      return make_error(ErrorKind::Unsupported, "the commit has more than {} files", budget_.files);
    }
  }
  reporter_.progress({.text = "reading trees"});
  counts_[id] = sum;
  return sum;
}

Status TreeWriter::write(const git_tree* tree, const std::string& path, bool has_attributes,
                         int target) {
  budget_.expected += TRY(count(tree, 0));
  if (budget_.expected > budget_.files) {
    return make_error(ErrorKind::Unsupported,
                      "the commit and its submodules have more than {} files", budget_.files);
  }
  return write_level(tree, path, has_attributes, target, 0);
}

Status TreeWriter::write_level(const git_tree* tree, const std::string& path, bool has_attributes,
                               int target, std::size_t depth) {
  const bool filtered = has_attributes || has_attributes_file(tree);
  const std::size_t entries = git_tree_entrycount(tree);
  for (std::size_t i = 0; i < entries; ++i) {
    TRY(write_entry(git_tree_entry_byindex(tree, i), path, filtered, target, depth));
  }
  return sys::set_times(target, {.tv_sec = time_, .tv_nsec = 0});
}

Status TreeWriter::write_entry(const git_tree_entry* entry, const std::string& parent,
                               bool has_attributes, int target, std::size_t depth) {
  const std::string name = git_tree_entry_name(entry);
  TRY(check_entry_name(name, parent));
  const std::string path = joined(parent, name);
  budget_.written += 1;
  reporter_.progress(
      {.text = "checking out files", .current = budget_.written, .total = budget_.expected});
  TRY(check_kind(entry, path));
  switch (git_tree_entry_filemode(entry)) {
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_BLOB_EXECUTABLE:
      return name_twice(write_file(entry, path, has_attributes, target), path);
    case GIT_FILEMODE_LINK:
      return name_twice(write_link(entry, path, target), path);
    case GIT_FILEMODE_TREE: {
      Fd inner;
      TRY(name_twice(make_directory(name, target, inner), path));
      const Tree tree = TRY(lookup<Tree>(repository_, *git_tree_entry_id(entry), GIT_OBJECT_TREE,
                                         "read the tree of " + printable(path)));
      return write_level(tree.get(), path, has_attributes, inner.get(), depth + 1);
    }
    case GIT_FILEMODE_COMMIT: {
      Fd inner;
      TRY(name_twice(make_directory(name, target, inner), path));
      gitlinks_.push_back({.path = path, .commit = *git_tree_entry_id(entry)});
      return sys::set_times(inner.get(), {.tv_sec = time_, .tv_nsec = 0});
    }
    default:
      return invalid_argument("the commit has an entry '{}' of an unknown kind", printable(path));
  }
}

Status TreeWriter::make_directory(const std::string& name, int target, Fd& made) {
  TRY(sys::mkdir_at(target, name, 0755));
  made = TRY(sys::open_at(target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return sys::fchmod(made.get(), 0755);
}

Result<Blob> TreeWriter::blob(const git_tree_entry* entry, const std::string& path) {
  return lookup<Blob>(repository_, *git_tree_entry_id(entry), GIT_OBJECT_BLOB,
                      "read " + printable(path));
}

Status TreeWriter::spend(std::uint64_t bytes, const std::string& path) {
  if (bytes > budget_.bytes) {
    return make_error(ErrorKind::Unsupported, "the commit's files are too large: stopped at '{}'",
                      printable(path));
  }
  budget_.bytes -= bytes;
  return {};
}

Status TreeWriter::write_file(const git_tree_entry* entry, const std::string& path, bool filtered,
                              int target) {
  const Blob content = TRY(blob(entry, path));
  Filtered made;
  const auto size = static_cast<std::size_t>(git_blob_rawsize(content.get()));
  ByteSpan bytes = as_bytes(
      std::string_view(static_cast<const char*>(git_blob_rawcontent(content.get())), size));
  if (filtered) {
    git_blob_filter_options options = GIT_BLOB_FILTER_OPTIONS_INIT;
    options.flags = GIT_BLOB_FILTER_CHECK_FOR_BINARY | GIT_BLOB_FILTER_NO_SYSTEM_ATTRIBUTES |
                    GIT_BLOB_FILTER_ATTRIBUTES_FROM_COMMIT;
    options.attr_commit_id = commit_;
    TRY(check(git_blob_filter(made.get(), content.get(), path.c_str(), &options),
              "apply the attributes of " + printable(path)));
    bytes = made.bytes();
  }
  TRY(spend(bytes.size(), path));
  const bool executable = git_tree_entry_filemode(entry) == GIT_FILEMODE_BLOB_EXECUTABLE;
  const Fd file = TRY(sys::open_at(target, git_tree_entry_name(entry),
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  TRY(sys::write_all(file.get(), bytes));
  TRY(sys::fchmod(file.get(), executable ? 0755 : 0644));
  return sys::set_times(file.get(), {.tv_sec = time_, .tv_nsec = 0});
}

Status TreeWriter::write_link(const git_tree_entry* entry, const std::string& path, int target) {
  const Blob content = TRY(blob(entry, path));
  const std::string leads_to(static_cast<const char*>(git_blob_rawcontent(content.get())),
                             static_cast<std::size_t>(git_blob_rawsize(content.get())));
  if (leads_to.empty() || leads_to.size() >= 4096 || leads_to.find('\0') != std::string::npos) {
    return invalid_argument("the symbolic link '{}' leads to what is no path", printable(path));
  }
  const std::string name = git_tree_entry_name(entry);
  TRY(sys::symlink_at(leads_to, target, name));
  return sys::set_times_at(target, name, {.tv_sec = time_, .tv_nsec = 0});
}

}  // namespace mybuild::git

// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/stubs.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <linux/openat2.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <deque>

namespace mybuild::sandbox {

namespace {

constexpr int kMaxLinks = 40;  // as the kernel

/// Components with ".." kept, as they mean something after a link.
void push_front_components(std::deque<std::string>& rest, std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) {
      parts.emplace_back(path.substr(0, end));
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  rest.insert(rest.begin(), parts.begin(), parts.end());
}

/// `path` with links resolved as far as it exists; the missing rest is appended as it stands. Not
/// left to the kernel because a link into nothing (/etc/resolv.conf -> ../run/…) is a good mount
/// point too.
Result<std::string> resolve_links(std::string_view path) {
  std::deque<std::string> rest;
  push_front_components(rest, path);
  std::string done;
  for (int links = 0; !rest.empty();) {
    const std::string part = std::move(rest.front());
    rest.pop_front();
    if (part == ".") {
      continue;
    }
    if (part == "..") {
      done.resize(done.empty() ? 0 : done.rfind('/'));
      continue;
    }
    const std::string next = done + "/" + part;
    const Result<struct stat> info = sys::lstat_at(AT_FDCWD, next);
    if (!info && info.error().os_errno() != ENOENT) {
      return info.error();
    }
    if (!info || !S_ISLNK(info->st_mode)) {
      done = next;
      continue;
    }
    if (++links > kMaxLinks) {
      return os_error(ELOOP, fmt::format("resolve {}", path));
    }
    const std::string target = TRY(sys::readlink_at(AT_FDCWD, next));
    if (target.starts_with('/')) {
      done.clear();
    }
    push_front_components(rest, target);
  }
  return done.empty() ? std::string("/") : done;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

bool same_time(const struct timespec& left, const struct timespec& right) {
  return left.tv_sec == right.tv_sec && left.tv_nsec == right.tv_nsec;
}

}  // namespace

Result<MountPoints> MountPoints::open() {
  const struct stat info = TRY(sys::lstat_at(AT_FDCWD, "/"));
  return MountPoints(info.st_dev);
}

Result<std::string> MountPoints::ensure(std::string_view target, bool directory) {
  std::string path = TRY(resolve_links(target).context("mount point"));
  if (path == "/") {
    return invalid_argument("mount point {} leads to the root itself", target);
  }
  if (!sys::exists_at(AT_FDCWD, path)) {
    TRY(make(path, directory).context("mount point"));
  }
  return path;
}

Status MountPoints::make(const std::string& path, bool directory) {
  const std::string parent = parent_of(path);
  if (!sys::exists_at(AT_FDCWD, parent)) {
    TRY(make(parent, true));
  }
  const struct stat above = TRY(sys::lstat_at(AT_FDCWD, parent));
  const bool recorded = above.st_dev == device_;
  if (recorded) {
    TRY(remember_above(parent));
  }
  if (directory) {
    TRY(sys::mkdir_at(AT_FDCWD, path, 0755));
  } else {
    TRY(sys::open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0644));
  }
  if (recorded) {
    TRY(sys::set_times_at(AT_FDCWD, parent, above.st_mtim));
    record_.made.push_back({path, directory});
  }
  return {};
}

Status MountPoints::remember_above(const std::string& directory) {
  if (directory != "/") {
    TRY(remember_above(parent_of(directory)));
  }
  const auto known = [&directory](const auto& entry) { return entry.path == directory; };
  if (std::any_of(record_.above.begin(), record_.above.end(), known) ||
      std::any_of(record_.made.begin(), record_.made.end(), known)) {
    return {};
  }
  const struct stat info = TRY(sys::lstat_at(AT_FDCWD, directory));
  record_.above.push_back({.path = directory,
                           .mode = info.st_mode,
                           .uid = info.st_uid,
                           .gid = info.st_gid,
                           .mtime = info.st_mtim,
                           .has_xattrs = ::llistxattr(directory.c_str(), nullptr, 0) > 0});
  return {};
}

namespace {

/// The step may have put links anywhere; nothing is followed.
Result<Fd> open_inside(int top, const std::string& path, int flags) {
  const std::string relative = clean_relative(path);
  return sys::open_at2(top, relative.empty() ? "." : relative, flags | O_DIRECTORY,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

bool still_empty_file(int directory, const std::string& name) {
  const Result<struct stat> info = sys::lstat_at(directory, name);
  return info && S_ISREG(info->st_mode) && info->st_size == 0 && info->st_nlink == 1;
}

void remove_stub(int top, const StubRecord::Made& stub) {
  const Result<Fd> parent = open_inside(top, parent_of(stub.path), O_RDONLY);
  if (!parent) {
    return;
  }
  const std::string name(base_name(stub.path));
  const Result<struct stat> before = sys::fstat(parent->get());
  if (!before || (!stub.directory && !still_empty_file(parent->get(), name))) {
    return;
  }
  const Status removed = sys::unlink_at(parent->get(), name, stub.directory ? AT_REMOVEDIR : 0);
  if (removed) {
    [[maybe_unused]] const Status restored = sys::set_times(parent->get(), before->st_mtim);
  }
}

/// overlayfs marks what it copied up; an opaque mark, or an attribute of anybody else, is a change.
bool is_plain_copy(int directory) {
  const Result<std::vector<std::string>> names = sys::list_xattrs(directory);
  if (!names) {
    return false;
  }
  const auto foreign = [](const std::string& name) {
    return !name.starts_with("trusted.overlay.") || name == "trusted.overlay.opaque";
  };
  return std::find(names->begin(), names->end(), "trusted.overlay.origin") != names->end() &&
         std::none_of(names->begin(), names->end(), foreign);
}

/// A directory that is in the upper layer only because a stub was made below it, and is as before,
/// is no change.
void remove_copied_up(int top, const StubRecord::Above& above) {
  if (above.path == "/" || above.has_xattrs) {
    return;
  }
  const Result<Fd> parent = open_inside(top, parent_of(above.path), O_RDONLY);
  const Result<Fd> directory = open_inside(top, above.path, O_RDONLY);
  if (!parent || !directory) {
    return;
  }
  const Result<struct stat> now = sys::fstat(directory->get());
  if (!now || now->st_mode != above.mode || now->st_uid != above.uid || now->st_gid != above.gid ||
      !same_time(now->st_mtim, above.mtime) || !is_plain_copy(directory->get())) {
    return;
  }
  const Result<struct stat> before = sys::fstat(parent->get());
  if (before && sys::unlink_at(parent->get(), std::string(base_name(above.path)), AT_REMOVEDIR)) {
    [[maybe_unused]] const Status restored = sys::set_times(parent->get(), before->st_mtim);
  }
}

}  // namespace

void remove_stubs(const snapshotter::RootMount& root, const StubRecord& record) {
  const bool overlay = root.type == snapshotter::RootMount::Type::Overlay;
  const std::string& writable = overlay ? root.upper : root.source;
  const Result<Fd> top = sys::open(writable, O_PATH | O_DIRECTORY);
  if (writable.empty() || !top) {
    return;
  }
  for (auto stub = record.made.rbegin(); stub != record.made.rend(); ++stub) {
    remove_stub(top->get(), *stub);
  }
  if (overlay) {
    for (auto above = record.above.rbegin(); above != record.above.rend(); ++above) {
      remove_copied_up(top->get(), *above);
    }
  }
}

}  // namespace mybuild::sandbox

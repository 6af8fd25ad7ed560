// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/tree_entry.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/whiteout.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace mybuild::snapshotter {

namespace {

constexpr mode_t kModeBits = 07777;
constexpr std::size_t kDirBuffer = 32 * 1024;

Error failed(std::string_view what, std::string_view name) {
  const int saved = errno;
  return os_error(saved, fmt::format("{} {}", what, name));
}

/// The calls with "l" and a path through the directory's descriptor: no need to open each file for
/// its attributes.
std::string through_proc(int dirfd, const std::string& name) {
  std::string path = sys::proc_fd_path(dirfd);
  path.push_back('/');
  return path.append(name);
}

bool no_xattrs_here(int code) {
  return code == EOPNOTSUPP || code == ENODATA;
}

Result<std::vector<std::string>> split_names(const char* data, std::size_t size) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < size;) {
    const std::size_t length = ::strnlen(data + begin, size - begin);
    names.emplace_back(data + begin, length);
    begin += length + 1;
  }
  return names;
}

/// `call` is llistxattr(2) or flistxattr(2) of what `subject` names in errors.
template <class Call>
Result<std::vector<std::string>> list_xattrs(const Call& call, std::string_view subject) {
  char fixed[1024];
  ssize_t size = call(fixed, sizeof fixed);
  if (size == 0) {
    return std::vector<std::string>();
  }
  if (size > 0) {
    return split_names(fixed, static_cast<std::size_t>(size));
  }
  if (no_xattrs_here(errno)) {
    return std::vector<std::string>();
  }
  std::string large(XATTR_LIST_MAX, '\0');
  size = errno == ERANGE ? call(large.data(), large.size()) : -1;
  if (size < 0) {
    return failed("list extended attributes of", subject);
  }
  return split_names(large.data(), static_cast<std::size_t>(size));
}

Result<std::vector<std::string>> list_xattrs(const std::string& path) {
  return list_xattrs(
      [&path](char* names, std::size_t size) { return ::llistxattr(path.c_str(), names, size); },
      path);
}

Result<std::optional<std::string>> get_xattr(const std::string& path, const std::string& name) {
  std::string value(256, '\0');
  ssize_t size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
  if (size < 0 && errno == ERANGE) {
    value.resize(XATTR_SIZE_MAX);
    size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
  }
  if (size < 0 && no_xattrs_here(errno)) {
    return std::optional<std::string>();
  }
  if (size < 0) {
    return failed("read extended attribute " + name + " of", path);
  }
  value.resize(static_cast<std::size_t>(size));
  return std::optional(std::move(value));
}

Status read_xattrs(const std::string& path, TreeForm form, Entry& entry) {
  for (const std::string& name : TRY(list_xattrs(path))) {
    const bool opaque = form == TreeForm::Layer && is_opaque_xattr(name);
    if (!opaque && !carried_xattr(name)) {
      continue;
    }
    std::optional<std::string> value = TRY(get_xattr(path, name));
    if (opaque) {
      entry.opaque |= value == kOpaqueValue;
    } else if (value) {
      entry.xattrs.set(name, std::move(*value));
    }
  }
  return {};
}

EntryType type_of(const struct stat& info, TreeForm form) {
  if (form == TreeForm::Layer && is_whiteout(info)) {
    return EntryType::Whiteout;
  }
  switch (info.st_mode & S_IFMT) {
    case S_IFDIR:
      return EntryType::Directory;
    case S_IFLNK:
      return EntryType::Symlink;
    case S_IFBLK:
      return EntryType::BlockDevice;
    case S_IFIFO:
      return EntryType::Fifo;
    case S_IFCHR:
      return EntryType::CharDevice;
    default:
      return EntryType::File;
  }
}

Entry entry_of(const struct stat& info, std::string path, TreeForm form) {
  Entry entry;
  entry.path = std::move(path);
  entry.type = type_of(info, form);
  if (entry.type == EntryType::Whiteout) {
    return entry;
  }
  entry.mode = info.st_mode & kModeBits;
  entry.uid = info.st_uid;
  entry.gid = info.st_gid;
  entry.mtime = info.st_mtim;
  if (entry.type == EntryType::File) {
    entry.size = static_cast<std::uint64_t>(info.st_size);
  }
  if (entry.type == EntryType::CharDevice || entry.type == EntryType::BlockDevice) {
    entry.device_major = major(info.st_rdev);
    entry.device_minor = minor(info.st_rdev);
  }
  return entry;
}

/// A file system without attributes, or a process that may not set them, must not make a layer
/// unusable; the bytes are.
Status write_xattrs(int fd, const Entry& entry) {
  for (const auto& [name, value] : entry.xattrs) {
    if (Status set = sys::set_xattr(fd, name, value); !set) {
      if (set.error().os_errno() != EOPNOTSUPP) {
        return std::move(set).context(entry.path);
      }
      log::debug("{}: {}", entry.path, set.error().message());
    }
  }
  return {};
}

/// Trees hold whole seconds, as layer tars do: what a step sees must not depend on where its parent
/// came from.
struct timespec stored_time(const Entry& entry) {
  return {.tv_sec = entry.mtime.tv_sec, .tv_nsec = 0};
}

Status finish_object(int fd, const Entry& entry) {
  TRY(sys::fchown(fd, entry.uid, entry.gid).context(entry.path));
  TRY(write_xattrs(fd, entry));
  TRY(sys::fchmod(fd, entry.mode).context(entry.path));
  return sys::set_times(fd, stored_time(entry)).context(entry.path);
}

Status explain_device(Status made) {
  if (made || made.error().os_errno() != EPERM) {
    return made;
  }
  return std::move(made).error().with_hint(
      "making devices needs CAP_MKNOD and a file system that takes them; inside a container start "
      "it with --cap-add MKNOD");
}

}  // namespace

Result<std::vector<DirItem>> read_dir(int dirfd) {
  const Fd own = TRY(sys::open_at(dirfd, ".", O_RDONLY | O_DIRECTORY));
  return read_fresh_dir(own.get());
}

Result<std::vector<DirItem>> read_fresh_dir(int dirfd) {
  std::vector<DirItem> items;
  alignas(struct dirent64) char buffer[kDirBuffer];
  for (;;) {
    const ssize_t size = ::getdents64(dirfd, buffer, sizeof buffer);
    if (size < 0) {
      return failed("list", "directory");
    }
    if (size == 0) {
      break;
    }
    for (ssize_t at = 0; at < size;) {
      const auto* record = reinterpret_cast<const struct dirent64*>(buffer + at);
      const std::string_view name = record->d_name;
      if (name != "." && name != "..") {
        items.push_back({.name = std::string(name), .type = record->d_type});
      }
      at += record->d_reclen;
    }
  }
  std::sort(items.begin(), items.end(),
            [](const DirItem& a, const DirItem& b) { return a.name < b.name; });
  return items;
}

Result<std::optional<Entry>> read_entry(int dirfd, const std::string& name, const struct stat& info,
                                        std::string path, TreeForm form, Attributes attributes) {
  Entry entry = entry_of(info, std::move(path), form);
  if (S_ISSOCK(info.st_mode) && entry.type != EntryType::Whiteout) {
    return std::optional<Entry>();
  }
  if (entry.type == EntryType::Symlink) {
    entry.link = TRY(sys::readlink_at(dirfd, name));
  }
  if (attributes == Attributes::Read &&
      (entry.type == EntryType::File || entry.type == EntryType::Directory)) {
    TRY(read_xattrs(through_proc(dirfd, name), form, entry));
  }
  if (entry.type == EntryType::Directory && form == TreeForm::Layer && !entry.opaque) {
    entry.opaque = TRY(has_opaque_object(dirfd, name));
  }
  return std::optional(std::move(entry));
}

Result<Entry> read_file_entry(int fd, const struct stat& info, std::string path) {
  Entry entry = entry_of(info, std::move(path), TreeForm::Plain);
  const auto list = [fd](char* names, std::size_t size) { return ::flistxattr(fd, names, size); };
  for (const std::string& name : TRY(list_xattrs(list, entry.path))) {
    if (carried_xattr(name)) {
      if (std::optional<std::string> value = TRY(sys::get_xattr(fd, name))) {
        entry.xattrs.set(name, std::move(*value));
      }
    }
  }
  return entry;
}

Result<Entry> read_directory_entry(int dir_fd, const struct stat& info, std::string path,
                                   TreeForm form) {
  Entry entry = entry_of(info, std::move(path), form);
  TRY(read_xattrs(through_proc(dir_fd, "."), form, entry));
  if (form == TreeForm::Layer && !entry.opaque) {
    entry.opaque = TRY(has_opaque_object(dir_fd, {}));
  }
  return entry;
}

Result<std::vector<std::string>> list_xattrs_at(int dirfd, const std::string& name) {
  return list_xattrs(through_proc(dirfd, name));
}

Status remove_xattr_at(int dirfd, const std::string& name, const std::string& attribute) {
  if (::lremovexattr(through_proc(dirfd, name).c_str(), attribute.c_str()) < 0) {
    return failed("remove extended attribute " + attribute + " of", name);
  }
  return {};
}

Result<Fd> create_file(int dirfd, const std::string& name, mode_t mode) {
  constexpr mode_t kPermissions = 0777;
  return sys::open_at(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode & kPermissions);
}

Status finish_file(int fd, const Entry& entry) {
  constexpr mode_t kModeBits = 07777;
  const struct stat made = TRY(sys::fstat(fd));
  const bool is_owned = made.st_uid == entry.uid && made.st_gid == entry.gid;
  if (!is_owned) {
    TRY(sys::fchown(fd, entry.uid, entry.gid).context(entry.path));
  }
  TRY(write_xattrs(fd, entry));
  // A change of the owner takes set-id bits away.
  if (!is_owned || (made.st_mode & kModeBits) != entry.mode) {
    TRY(sys::fchmod(fd, entry.mode).context(entry.path));
  }
  return sys::set_times(fd, stored_time(entry)).context(entry.path);
}

Status finish_directory(int dir_fd, const Entry& entry) {
  if (entry.opaque) {
    TRY(set_opaque(dir_fd).context(entry.path));
  }
  return finish_object(dir_fd, entry);
}

Status make_node(int dirfd, const std::string& name, const Entry& entry) {
  switch (entry.type) {
    case EntryType::Whiteout:
      return make_whiteout(dirfd, name).context(entry.path);
    case EntryType::Symlink:
      TRY(sys::symlink_at(entry.link, dirfd, name));
      break;
    case EntryType::Fifo:
      TRY(sys::mknod_at(dirfd, name, S_IFIFO | 0600, 0));
      break;
    case EntryType::CharDevice:
    case EntryType::BlockDevice: {
      const mode_t kind = entry.type == EntryType::CharDevice ? S_IFCHR : S_IFBLK;
      const dev_t device = makedev(entry.device_major, entry.device_minor);
      if (entry.type == EntryType::CharDevice && device == 0) {
        return invalid_argument("{}: a character device 0/0 cannot be stored in a layer tree",
                                entry.path);
      }
      TRY(explain_device(sys::mknod_at(dirfd, name, kind | 0600, device)).context(entry.path));
      break;
    }
    default:
      return internal_error("{}: not a node", entry.path);
  }
  const struct stat made = TRY(sys::lstat_at(dirfd, name));
  if (made.st_uid != entry.uid || made.st_gid != entry.gid) {
    TRY(sys::fchown_at(dirfd, name, entry.uid, entry.gid));
  }
  if (entry.type != EntryType::Symlink) {
    TRY(sys::fchmod_at(dirfd, name, entry.mode));
  }
  return sys::set_times_at(dirfd, name, stored_time(entry));
}

bool same_metadata(const Entry& a, const Entry& b) {
  return a.type == b.type && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.size == b.size && a.link == b.link && a.device_major == b.device_major &&
         a.device_minor == b.device_minor && a.xattrs == b.xattrs;
}

std::string_view parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace mybuild::snapshotter

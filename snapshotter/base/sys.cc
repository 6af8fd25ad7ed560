// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/sys.h"

#include "snapshotter/base/path_walk.h"

#include <dirent.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <memory>

namespace mybuild::sys {

namespace {

/// The size of a write is the size of the folios that the page cache takes for it. Blocks that
/// large are memory which a guest may have given back to its host (free page reporting), and
/// getting it again costs four times what the write does.
constexpr std::size_t kWriteAtOnce = 256 * 1024;

/// Repeats `call` while a signal interrupts it.
template <class Call>
auto retry(Call call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) {
      return result;
    }
  }
}

template <class... Args>
Error failed(fmt::format_string<Args...> format, Args&&... args) {
  const int saved = errno;
  return os_error(saved, fmt::format(format, std::forward<Args>(args)...));
}

Status status(int result, std::string_view verb, const std::string& subject) {
  if (result < 0) {
    return failed("{} {}", verb, subject);
  }
  return {};
}

std::string fd_name(int fd) {
  return fmt::format("descriptor {}", fd);
}

}  // namespace

std::string proc_fd_path(int fd) {
  return fmt::format("/proc/self/fd/{}", fd);
}

Result<Fd> open_at(int dirfd, const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::openat(dirfd, path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) {
    return failed("open {}", path);
  }
  return Fd(fd);
}

Result<Fd> open_at2(int dirfd, const std::string& path, int flags, std::uint64_t resolve,
                    mode_t mode) {
  static std::atomic<bool> missing = false;
  if (missing.load(std::memory_order_relaxed)) {
    return walk_and_open(dirfd, path, flags, resolve, mode);
  }
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = resolve;
  // EAGAIN: the kernel saw a rename race while it resolved "..".
  const long fd = retry([&] {
    long result = -1;
    for (int attempt = 0; attempt < 64; ++attempt) {
      result = ::syscall(SYS_openat2, dirfd, path.c_str(), &how, sizeof how);
      if (result >= 0 || errno != EAGAIN) {
        break;
      }
    }
    return result;
  });
  if (fd < 0 && errno == ENOSYS) {
    missing.store(true, std::memory_order_relaxed);
    return walk_and_open(dirfd, path, flags, resolve, mode);
  }
  if (fd < 0) {
    return failed("open {}", path);
  }
  return Fd(static_cast<int>(fd));
}

Result<Fd> dup(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) {
    return failed("duplicate {}", fd_name(fd));
  }
  return Fd(copy);
}

Result<std::size_t> read(int fd, MutableByteSpan buffer) {
  const ssize_t count = retry([&] { return ::read(fd, buffer.data(), buffer.size()); });
  if (count < 0) {
    return failed("read");
  }
  return static_cast<std::size_t>(count);
}

Result<std::size_t> read_full(int fd, MutableByteSpan buffer) {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const std::size_t count = TRY(read(fd, buffer.subspan(total)));
    if (count == 0) {
      break;
    }
    total += count;
  }
  return total;
}

Result<std::size_t> pread_full(int fd, MutableByteSpan buffer, std::uint64_t offset) {
  std::size_t total = 0;
  while (total < buffer.size()) {
    const ssize_t count = retry([&] {
      return ::pread(fd, buffer.data() + total, buffer.size() - total,
                     static_cast<off_t>(offset + total));
    });
    if (count < 0) {
      return failed("read");
    }
    if (count == 0) {
      break;
    }
    total += static_cast<std::size_t>(count);
  }
  return total;
}

Status write_all(int fd, ByteSpan bytes) {
  while (!bytes.empty()) {
    const ByteSpan some = bytes.first(std::min(bytes.size(), kWriteAtOnce));
    const ssize_t count = retry([&] { return ::write(fd, some.data(), some.size()); });
    if (count < 0) {
      return failed("write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::string> read_to_end(int fd) {
  std::string text;
  std::vector<std::byte> buffer(4 * 1024);  // mostly a line of /proc
  for (;;) {
    const std::size_t count = TRY(read(fd, buffer));
    if (count == 0) {
      return text;
    }
    text.append(as_text(ByteSpan(buffer).first(count)));
    if (count == buffer.size() && count < 64 * 1024) {
      buffer.resize(4 * count);
    }
  }
}

Result<std::uint64_t> copy_file(int from, int to) {
  const struct stat info = TRY(fstat(from));
  if (::ioctl(to, FICLONE, from) == 0) {
    return static_cast<std::uint64_t>(info.st_size);
  }
  std::uint64_t total = 0;
  constexpr std::size_t kStep = std::size_t{1} << 30U;
  for (;;) {
    const ssize_t count =
        retry([&] { return ::copy_file_range(from, nullptr, to, nullptr, kStep, 0); });
    if (count < 0 && total == 0) {
      break;  // not supported between these two: read and write below
    }
    if (count < 0) {
      return failed("copy");
    }
    if (count == 0 && (total > 0 || info.st_size == 0)) {
      return total;
    }
    if (count == 0) {
      break;  // procfs-like files say 0 here although they have bytes
    }
    total += static_cast<std::uint64_t>(count);
  }
  std::vector<std::byte> buffer(256 * 1024);
  for (;;) {
    const std::size_t count = TRY(read(from, buffer));
    if (count == 0) {
      return total;
    }
    TRY(write_all(to, ByteSpan(buffer).first(count)));
    total += count;
  }
}

Result<struct stat> fstat(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) < 0) {
    return failed("stat {}", fd_name(fd));
  }
  return info;
}

Result<struct stat> lstat_at(int dirfd, const std::string& path) {
  struct stat info {};
  if (::fstatat(dirfd, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) {
    return failed("stat {}", path);
  }
  return info;
}

Result<struct stat> stat_at(int dirfd, const std::string& path) {
  struct stat info {};
  if (::fstatat(dirfd, path.c_str(), &info, 0) < 0) {
    return failed("stat {}", path);
  }
  return info;
}

bool exists_at(int dirfd, const std::string& path) {
  return ::faccessat(dirfd, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<std::string> readlink_at(int dirfd, const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = ::readlinkat(dirfd, path.c_str(), target.data(), target.size());
  if (size < 0) {
    return failed("read link {}", path);
  }
  target.resize(static_cast<std::size_t>(size));
  return target;
}

Result<std::vector<std::string>> list_dir(int dirfd) {
  Fd own = TRY(open_at(dirfd, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(own.get()), ::closedir);
  if (!dir) {
    return failed("list {}", fd_name(dirfd));
  }
  own.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const struct dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) {
        return failed("list {}", fd_name(dirfd));
      }
      break;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      names.emplace_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status mkdir_at(int dirfd, const std::string& path, mode_t mode) {
  return status(::mkdirat(dirfd, path.c_str(), mode), "make directory", path);
}
Status unlink_at(int dirfd, const std::string& path, int flags) {
  return status(::unlinkat(dirfd, path.c_str(), flags), "remove", path);
}
Status rename_at(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to,
                 unsigned flags) {
  if (::renameat2(from_dirfd, from.c_str(), to_dirfd, to.c_str(), flags) < 0) {
    return failed("rename {} to {}", from, to);
  }
  return {};
}
Status symlink_at(const std::string& target, int dirfd, const std::string& path) {
  return status(::symlinkat(target.c_str(), dirfd, path.c_str()), "make link", path);
}
Status link_at(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to,
               int flags) {
  if (::linkat(from_dirfd, from.c_str(), to_dirfd, to.c_str(), flags) < 0) {
    return failed("link {} to {}", from, to);
  }
  return {};
}
Status mknod_at(int dirfd, const std::string& path, mode_t mode, dev_t dev) {
  return status(::mknodat(dirfd, path.c_str(), mode, dev), "make node", path);
}
Status fchmod_at(int dirfd, const std::string& path, mode_t mode) {
  return status(::fchmodat(dirfd, path.c_str(), mode, 0), "change mode of", path);
}
Status fchmod(int fd, mode_t mode) {
  return status(::fchmod(fd, mode), "change mode of", fd_name(fd));
}
Status fchown_at(int dirfd, const std::string& path, uid_t uid, gid_t gid) {
  return status(::fchownat(dirfd, path.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW), "change owner of",
                path);
}
Status fchown(int fd, uid_t uid, gid_t gid) {
  return status(::fchown(fd, uid, gid), "change owner of", fd_name(fd));
}
Status set_times_at(int dirfd, const std::string& path, struct timespec mtime) {
  const struct timespec times[2] = {mtime, mtime};
  return status(::utimensat(dirfd, path.c_str(), times, AT_SYMLINK_NOFOLLOW), "set times of", path);
}
Status set_times(int fd, struct timespec mtime) {
  const struct timespec times[2] = {mtime, mtime};
  return status(::futimens(fd, times), "set times of", fd_name(fd));
}
Status set_access_time_at(int dirfd, const std::string& path, std::int64_t seconds) {
  const struct timespec times[2] = {{.tv_sec = seconds, .tv_nsec = 0},
                                    {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
  return status(::utimensat(dirfd, path.c_str(), times, AT_SYMLINK_NOFOLLOW), "set times of", path);
}
Status ftruncate(int fd, off_t size) {
  return status(::ftruncate(fd, size), "truncate", fd_name(fd));
}
Status fsync(int fd) {
  return status(::fsync(fd), "fsync", fd_name(fd));
}
Status syncfs(int fd) {
  return status(::syncfs(fd), "syncfs", fd_name(fd));
}

Result<std::vector<std::string>> list_xattrs(int fd) {
  const std::string path = proc_fd_path(fd);
  std::string names;
  for (;;) {
    const ssize_t size = ::listxattr(path.c_str(), nullptr, 0);
    if (size < 0 && (errno == EOPNOTSUPP || errno == EPERM)) {
      return std::vector<std::string>{};
    }
    if (size < 0) {
      return failed("list extended attributes");
    }
    names.resize(static_cast<std::size_t>(size));
    const ssize_t got = ::listxattr(path.c_str(), names.data(), names.size());
    if (got < 0 && errno == ERANGE) {
      continue;  // one was added in between
    }
    if (got < 0) {
      return failed("list extended attributes");
    }
    names.resize(static_cast<std::size_t>(got));
    break;
  }
  std::vector<std::string> list;
  for (std::size_t begin = 0; begin < names.size();) {
    const std::size_t end = names.find('\0', begin);
    list.push_back(names.substr(begin, end - begin));
    begin = end == std::string::npos ? names.size() : end + 1;
  }
  std::sort(list.begin(), list.end());
  return list;
}

Result<std::optional<std::string>> get_xattr(int fd, const std::string& name) {
  const std::string path = proc_fd_path(fd);
  std::string value(256, '\0');
  for (;;) {
    const ssize_t size = ::getxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<std::size_t>(size));
      return std::optional(std::move(value));
    }
    if (errno == ENODATA || errno == EOPNOTSUPP) {
      return std::optional<std::string>();
    }
    if (errno != ERANGE) {
      return failed("read extended attribute {}", name);
    }
    const ssize_t wanted = ::getxattr(path.c_str(), name.c_str(), nullptr, 0);
    value.resize(wanted > 0 ? static_cast<std::size_t>(wanted) : value.size() * 2);
  }
}

Status set_xattr(int fd, const std::string& name, std::string_view value) {
  return status(::setxattr(proc_fd_path(fd).c_str(), name.c_str(), value.data(), value.size(), 0),
                "set extended attribute", name);
}
Status remove_xattr(int fd, const std::string& name) {
  return status(::removexattr(proc_fd_path(fd).c_str(), name.c_str()), "remove extended attribute",
                name);
}

Result<Pipe> pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) < 0) {
    return failed("make pipe");
  }
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<SocketPair> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
    return failed("make socket pair");
  }
  return SocketPair{Fd(fds[0]), Fd(fds[1])};
}

Result<Fd> memfd(const std::string& name) {
  const int fd = ::memfd_create(name.c_str(), MFD_CLOEXEC);
  if (fd < 0) {
    return failed("make memory file {}", name);
  }
  return Fd(fd);
}

Status set_nonblocking(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0) {
    return failed("set flags of {}", fd_name(fd));
  }
  return {};
}

Result<bool> poll_readable(int fd, std::chrono::milliseconds timeout) {
  struct pollfd entry {
    .fd = fd, .events = POLLIN, .revents = 0
  };
  const int wait = timeout.count() < 0 ? -1 : static_cast<int>(timeout.count());
  const int ready = retry([&] { return ::poll(&entry, 1, wait); });
  if (ready < 0) {
    return failed("poll");
  }
  return ready > 0;
}

Result<Fd> pidfd_open(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) {
    return failed("open process {}", pid);
  }
  return Fd(static_cast<int>(fd));
}

Status pidfd_send_signal(int pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) < 0) {
    return failed("send signal {}", signal);
  }
  return {};
}

}  // namespace mybuild::sys

// SPDX-License-Identifier: Apache-2.0
// One thin wrapper per system call: retries EINTR, sets O_CLOEXEC, and turns errno into an Error
// that names the call's subject. `dirfd` may be AT_FDCWD. Thread-safe.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::sys {

Result<Fd> open_at(int dirfd, const std::string& path, int flags, mode_t mode = 0);
inline Result<Fd> open(const std::string& path, int flags, mode_t mode = 0) {
  return open_at(AT_FDCWD, path, flags, mode);
}
/// openat2(2); `resolve` is a set of RESOLVE_* flags.
Result<Fd> open_at2(int dirfd, const std::string& path, int flags, std::uint64_t resolve,
                    mode_t mode = 0);
Result<Fd> dup(int fd);

Result<std::size_t> read(int fd, MutableByteSpan buffer);
/// Reads until the buffer is full or the file ends.
Result<std::size_t> read_full(int fd, MutableByteSpan buffer);
Result<std::size_t> pread_full(int fd, MutableByteSpan buffer, std::uint64_t offset);
Status write_all(int fd, ByteSpan bytes);
Result<std::string> read_to_end(int fd);
/// Copies to the end of `from`: reflink, else copy_file_range, else read and write. Returns the
/// number of bytes.
Result<std::uint64_t> copy_file(int from, int to);

Result<struct stat> fstat(int fd);
Result<struct stat> lstat_at(int dirfd, const std::string& path);
/// Follows symbolic links.
Result<struct stat> stat_at(int dirfd, const std::string& path);
bool exists_at(int dirfd, const std::string& path);
Result<std::string> readlink_at(int dirfd, const std::string& path);
/// Names in a directory without "." and "..", sorted bytewise.
Result<std::vector<std::string>> list_dir(int dirfd);

Status mkdir_at(int dirfd, const std::string& path, mode_t mode);
Status unlink_at(int dirfd, const std::string& path, int flags = 0);
Status rename_at(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to,
                 unsigned flags = 0);
Status symlink_at(const std::string& target, int dirfd, const std::string& path);
Status link_at(int from_dirfd, const std::string& from, int to_dirfd, const std::string& to,
               int flags = 0);
Status mknod_at(int dirfd, const std::string& path, mode_t mode, dev_t dev);
Status fchmod_at(int dirfd, const std::string& path, mode_t mode);  // follows links
Status fchmod(int fd, mode_t mode);
Status fchown_at(int dirfd, const std::string& path, uid_t uid,
                 gid_t gid);  // does not follow links
Status fchown(int fd, uid_t uid, gid_t gid);
/// Sets atime and mtime; does not follow links.
Status set_times_at(int dirfd, const std::string& path, struct timespec mtime);
Status set_times(int fd, struct timespec mtime);
/// Leaves the mtime as it is.
Status set_access_time_at(int dirfd, const std::string& path, std::int64_t seconds);
Status ftruncate(int fd, off_t size);
Status fsync(int fd);
Status syncfs(int fd);

/// Extended attributes through an open descriptor. O_PATH descriptors and symbolic links are
/// reached by /proc/self/fd.
Result<std::vector<std::string>> list_xattrs(int fd);
/// nullopt when the attribute is not there or the file system has none.
Result<std::optional<std::string>> get_xattr(int fd, const std::string& name);
Status set_xattr(int fd, const std::string& name, std::string_view value);
Status remove_xattr(int fd, const std::string& name);

Result<Pipe> pipe();
/// AF_UNIX, SOCK_SEQPACKET: message boundaries are kept.
Result<SocketPair> socket_pair();
Result<Fd> memfd(const std::string& name);
Status set_nonblocking(int fd, bool on);
/// Waits until `fd` is readable; false after `timeout`. Negative: no limit.
Result<bool> poll_readable(int fd, std::chrono::milliseconds timeout);

Result<Fd> pidfd_open(pid_t pid);
Status pidfd_send_signal(int pidfd, int signal);

/// A path that leads to what `fd` refers to, for calls that take no descriptor.
std::string proc_fd_path(int fd);

}  // namespace mybuild::sys

// SPDX-License-Identifier: Apache-2.0
// Objects of a tree on disk as Entry values, and back: reading one by directory descriptor and
// name, writing one with all its metadata in the order the kernel needs (owner, attributes, mode,
// time). Names are single components, so no link can lead elsewhere. Thread-safe.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/base/fd.h"

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

namespace mybuild::snapshotter {

struct DirItem {
  std::string name;
  unsigned char type = 0;  // DT_*, DT_UNKNOWN where the file system does not say
};
/// What is in a directory (O_PATH will do) but "." and "..", sorted bytewise.
Result<std::vector<DirItem>> read_dir(int dirfd);
/// The same of a descriptor that was opened for reading and not read from yet.
Result<std::vector<DirItem>> read_fresh_dir(int dirfd);

/// Whether the marks of whiteout.h mean deletions.
enum class TreeForm { Plain, Layer };

/// Whether carried attributes are asked for, which costs as much as all the rest; not where the
/// caller knows that there are none.
enum class Attributes { Read, None };

/// The object as an entry called `path`, with carried attributes; nullopt for a socket that
/// is no mark, which no layer holds.
Result<std::optional<Entry>> read_entry(int dirfd, const std::string& name, const struct stat& info,
                                        std::string path, TreeForm form,
                                        Attributes attributes = Attributes::Read);
/// An open regular file as an entry of a plain tree.
Result<Entry> read_file_entry(int fd, const struct stat& info, std::string path);
/// The same for an open directory.
Result<Entry> read_directory_entry(int dir_fd, const struct stat& info, std::string path,
                                   TreeForm form);

/// Names of all extended attributes; none where the file system has none. Links are not followed.
Result<std::vector<std::string>> list_xattrs_at(int dirfd, const std::string& name);
Status remove_xattr_at(int dirfd, const std::string& name, const std::string& attribute);

/// A new, empty file open for reading and writing; finish_file() ends it. AlreadyExists when the
/// name is taken. With the mode that it is going to have (what the umask leaves of its permission
/// bits) it need not be changed; each change of an inode costs as much as a small write.
Result<Fd> create_file(int dirfd, const std::string& name, mode_t mode = 0600);
Status finish_file(int fd, const Entry& entry);
/// Applies all metadata of a directory but its contents; `opaque` is only ever added.
Status finish_directory(int dir_fd, const Entry& entry);
/// Makes a Symlink, device, Fifo or Whiteout. AlreadyExists when the name is taken.
Status make_node(int dirfd, const std::string& name, const Entry& entry);

/// Same type, mode, owner, link, device numbers, attributes; times and contents are not looked at.
bool same_metadata(const Entry& a, const Entry& b);

/// The directory part of a clean relative path ("" for a top-level name) and the last component.
std::string_view parent_path(std::string_view path);

}  // namespace mybuild::snapshotter

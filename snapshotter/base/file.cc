// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/file.h"

#include "snapshotter/base/sys.h"

#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace mybuild {

Result<std::string> read_file(const std::string& path) {
  const Fd fd = TRY(sys::open(path, O_RDONLY));
  return sys::read_to_end(fd.get()).context(path);
}

Result<std::string> read_regular_file(int dirfd, const std::string& path, std::size_t limit) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const Fd fd = TRY(sys::open_at(dirfd, path, O_RDONLY | O_NONBLOCK));
  const struct stat info = TRY(sys::fstat(fd.get()));
  if (S_ISDIR(info.st_mode)) {
    return invalid_argument("{} is a directory", path);
  }
  if (!S_ISREG(info.st_mode)) {
    return invalid_argument("{} is not a regular file", path);
  }
  FileSource source(TRY(sys::dup(fd.get())));
  return read_all(source, limit).context(path);
}

Result<std::string> read_note(const std::string& path) {
  constexpr std::size_t kMost = 64 << 20;
  return read_regular_file(AT_FDCWD, path, kMost);
}

Status write_file(const std::string& path, std::string_view text, mode_t mode) {
  const Fd fd = TRY(sys::open(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  return sys::write_all(fd.get(), as_bytes(text)).context(path);
}

Status make_dirs(const std::string& path, mode_t mode) {
  // Mostly it is there, or its parent is.
  const Status whole = sys::mkdir_at(AT_FDCWD, path, mode);
  if (whole) {
    return {};
  }
  if (whole.error().os_errno() == EEXIST) {
    const Result<struct stat> found = sys::stat_at(AT_FDCWD, path);
    if (found && S_ISDIR(found->st_mode)) {
      return {};
    }
  }
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (const Status made = sys::mkdir_at(AT_FDCWD, part, mode); !made) {
      if (made.error().os_errno() != EEXIST) {
        return made.error();
      }
      if (end == std::string::npos && !S_ISDIR(TRY(sys::stat_at(AT_FDCWD, part)).st_mode)) {
        return invalid_argument("{} is not a directory", path);
      }
    }
    if (end == std::string::npos) {
      return {};
    }
  }
}

namespace {

/// A step can nest directories deeper than there are descriptors or stack: what lies below this is
/// moved up first.
constexpr int kMaxRemoveDepth = 100;

/// Somebody else may be removing the same tree: what is gone is removed.
Status gone_is_fine(Status status) {
  return !status && status.error().os_errno() == ENOENT ? Status() : status;
}

Result<Fd> open_to_empty(int dirfd, const std::string& name) {
  Result<Fd> dir = sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!dir && dir.error().os_errno() == EACCES) {
    TRY(sys::fchmod_at(dirfd, name, 0700));
    dir = sys::open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  }
  return dir;
}

class TreeRemover {
 public:
  /// `top` is the directory whose contents go; what is too deep is moved there.
  explicit TreeRemover(int top) : top_(top) {}

  Status run() {
    do {
      moved_ = false;
      TRY(gone_is_fine(remove_children(top_, 0)));
    } while (moved_);
    return {};
  }

 private:
  Status remove_children(int dirfd, int depth) {
    for (const std::string& name : TRY(sys::list_dir(dirfd))) {
      TRY(remove(dirfd, name, depth));
    }
    return {};
  }

  Status remove(int dirfd, const std::string& name, int depth) {
    const Status unlinked = sys::unlink_at(dirfd, name);
    if (unlinked || unlinked.error().os_errno() == ENOENT) {
      return {};
    }
    if (unlinked.error().os_errno() != EISDIR && unlinked.error().os_errno() != EPERM) {
      return unlinked;
    }
    if (depth >= kMaxRemoveDepth) {
      moved_ = true;
      return sys::rename_at(dirfd, name, top_,
                            fmt::format("{}.deep-{}", name.substr(0, 100), counter_++),
                            RENAME_NOREPLACE);
    }
    if (sys::unlink_at(dirfd, name, AT_REMOVEDIR)) {
      return {};  // many are empty
    }
    return gone_is_fine(remove_directory(dirfd, name, depth));
  }

  Status remove_directory(int dirfd, const std::string& name, int depth) {
    const Fd child = TRY(open_to_empty(dirfd, name));
    if (const Status emptied = gone_is_fine(remove_children(child.get(), depth + 1)); !emptied) {
      TRY(sys::fchmod(child.get(), 0700));  // a directory nobody may write, and we are not root
      TRY(gone_is_fine(remove_children(child.get(), depth + 1)));
    }
    return sys::unlink_at(dirfd, name, AT_REMOVEDIR);
  }

  int top_;
  unsigned counter_ = 0;
  bool moved_ = false;
};

}  // namespace

Status remove_tree(int dirfd, const std::string& path) {
  const Status unlinked = sys::unlink_at(dirfd, path);
  if (unlinked || unlinked.error().os_errno() == ENOENT) {
    return {};
  }
  if (unlinked.error().os_errno() != EISDIR && unlinked.error().os_errno() != EPERM) {
    return unlinked;
  }
  if (sys::unlink_at(dirfd, path, AT_REMOVEDIR)) {
    return {};
  }
  const Result<Fd> dir = open_to_empty(dirfd, path);
  if (!dir) {
    return gone_is_fine(dir.error());
  }
  if (const Status emptied = TreeRemover(dir->get()).run(); !emptied) {
    TRY(sys::fchmod(dir->get(), 0700));
    TRY(TreeRemover(dir->get()).run());
  }
  return gone_is_fine(sys::unlink_at(dirfd, path, AT_REMOVEDIR));
}

Status remove_tree(const std::string& path) {
  return remove_tree(AT_FDCWD, path);
}

std::string join_path(std::string_view left, std::string_view right) {
  while (right.starts_with('/')) {
    right.remove_prefix(1);
  }
  std::string joined;
  joined.reserve(left.size() + 1 + right.size());
  joined.append(left);
  if (!joined.empty() && !joined.ends_with('/') && !right.empty()) {
    joined.push_back('/');
  }
  return joined.append(right);
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

namespace {

/// Process ids would not do: containers that share a directory count them apart.
std::string unique_suffix() {
  std::array<std::byte, 8> random{};
  while (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
  }
  return to_hex(random);
}

}  // namespace

AtomicFile::AtomicFile(std::string path, std::string draft, Fd fd)
    : path_(std::move(path)), draft_(std::move(draft)), fd_(std::move(fd)) {}
AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      draft_(std::exchange(other.draft_, {})),
      fd_(std::move(other.fd_)) {}
AtomicFile::~AtomicFile() {
  if (!draft_.empty()) {
    (void)sys::unlink_at(AT_FDCWD, draft_);
  }
}

Result<AtomicFile> AtomicFile::create(const std::string& path, mode_t mode) {
  // A draft without a name goes with the process, even by kill -9. It gets its name through /proc.
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (sys::exists_at(AT_FDCWD, "/proc/self/fd")) {
    if (Result<Fd> nameless = sys::open(directory, O_RDWR | O_TMPFILE, mode)) {
      return AtomicFile(path, "", std::move(nameless).value());
    }
  }
  std::string draft = path + ".draft-" + unique_suffix();
  Result<Fd> fd = sys::open(draft, O_RDWR | O_CREAT | O_EXCL, mode);
  if (!fd) {  // the draft's name means nothing to anybody
    return os_error(fd.error().os_errno(), "create " + path);
  }
  return AtomicFile(path, std::move(draft), std::move(fd).value());
}

Status AtomicFile::write(ByteSpan bytes) {
  return sys::write_all(fd_.get(), bytes).context(path_);
}

Status AtomicFile::commit() && {
  if (draft_.empty()) {
    std::string draft = path_ + ".draft-" + unique_suffix();
    TRY(sys::link_at(AT_FDCWD, sys::proc_fd_path(fd_.get()), AT_FDCWD, draft, AT_SYMLINK_FOLLOW));
    draft_ = std::move(draft);
  }
  if (const Status renamed = sys::rename_at(AT_FDCWD, draft_, AT_FDCWD, path_); !renamed) {
    return os_error(renamed.error().os_errno(), "replace " + path_);
  }
  draft_.clear();
  return {};
}

Result<Fd> nameless_file(const std::string& directory, mode_t mode) {
  Result<Fd> nameless = sys::open(directory, O_RDWR | O_TMPFILE, mode);
  if (nameless || nameless.error().os_errno() == ENOSPC) {
    return nameless;
  }
  const std::string path = join_path(directory, "mybuild-" + unique_suffix());
  Fd file = TRY(sys::open(path, O_RDWR | O_CREAT | O_EXCL, mode));
  TRY(sys::unlink_at(AT_FDCWD, path));
  return file;
}

Result<TempDir> TempDir::create(const std::string& parent, std::string_view prefix) {
  std::string base = parent;
  if (base.empty()) {
    const char* variable = std::getenv("TMPDIR");
    base = variable != nullptr && *variable != '\0' ? variable : "/tmp";
  }
  std::string path = join_path(base, fmt::format("{}XXXXXX", prefix));
  if (::mkdtemp(path.data()) == nullptr) {
    const int saved = errno;
    return os_error(saved, "make temporary directory " + path);
  }
  return TempDir(std::move(path));
}
TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}
TempDir::~TempDir() {
  if (!path_.empty()) {
    (void)remove_tree(path_);
  }
}

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path, Mode mode) {
  Fd fd = TRY(sys::open(path, O_RDWR | O_CREAT, 0600));
  if (::flock(fd.get(), (mode == Mode::Shared ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) {
      return std::optional<FileLock>();
    }
    return os_error(errno, "lock " + path);
  }
  return std::optional<FileLock>(FileLock(std::move(fd)));
}

Result<FileLock> FileLock::acquire(const std::string& path, Mode mode) {
  Fd fd = TRY(sys::open(path, O_RDWR | O_CREAT, 0600));
  while (::flock(fd.get(), mode == Mode::Shared ? LOCK_SH : LOCK_EX) < 0) {
    if (errno != EINTR) {
      return os_error(errno, "lock " + path);
    }
  }
  return FileLock(std::move(fd));
}

Status FileSink::write(ByteSpan bytes) {
  return sys::write_all(fd_, bytes);
}
Result<std::size_t> FileSource::read(MutableByteSpan buffer) {
  return sys::read(fd_.get(), buffer);
}

}  // namespace mybuild

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/content/local_store.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"

#include <sys/file.h>
#include <sys/random.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <vector>

namespace mybuild::snapshotter {

namespace {

constexpr mode_t kBlobMode = 0444;
constexpr mode_t kDirectoryMode = 0755;
constexpr std::size_t kReadBuffer = 256 * 1024;

bool is_missing(const Error& error) {
  return error.os_errno() == ENOENT;
}

bool earlier(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/// When this kernel started, by the clock that file times come from.
struct timespec boot_time() {
  struct timespec now {};
  struct timespec since {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &since);
  now.tv_sec -= since.tv_sec;
  now.tv_nsec -= since.tv_nsec;
  if (now.tv_nsec < 0) {
    now.tv_nsec += 1'000'000'000;
    now.tv_sec -= 1;
  }
  return now;
}

std::string random_name() {
  std::array<std::byte, 12> bytes{};
  while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
  }
  return to_hex(bytes);
}

/// The lock says that the writer lives; the kernel drops it with the process, whatever happens to
/// that.
bool try_lock(int fd) {
  return ::flock(fd, LOCK_EX | LOCK_NB) == 0;
}

struct Directories {
  Fd blobs;
  Fd drafts;
};

struct Draft {
  std::string name;
  Fd fd;
};

Result<Draft> create_draft(int drafts) {
  for (;;) {
    std::string name = random_name();
    Fd fd = TRY(sys::open_at(drafts, name, O_RDWR | O_CREAT | O_EXCL, kBlobMode));
    // Between the two calls a store that is just being opened may take the draft for a dead one and
    // remove it.
    if (try_lock(fd.get()) && TRY(sys::fstat(fd.get())).st_nlink != 0) {
      return Draft{std::move(name), std::move(fd)};
    }
  }
}

class LocalIngest final : public Ingest {
 public:
  LocalIngest(std::shared_ptr<const Directories> directories, Draft draft, Expected expected)
      : directories_(std::move(directories)), draft_(std::move(draft)), expected_(expected) {}
  LocalIngest(const LocalIngest&) = delete;
  LocalIngest& operator=(const LocalIngest&) = delete;
  ~LocalIngest() override {
    if (!draft_.name.empty()) {
      (void)sys::unlink_at(directories_->drafts.get(), draft_.name);
    }
  }

  Status write(ByteSpan bytes) override {
    size_ += bytes.size();
    if (expected_.size && size_ > *expected_.size) {
      return data_loss("more than the expected {} bytes", *expected_.size);
    }
    hasher_.update(bytes);
    return sys::write_all(draft_.fd.get(), bytes).context("write blob");
  }

  Result<BlobInfo> commit() && override {
    const Digest digest = hasher_.finish();
    if (expected_.size && size_ != *expected_.size) {
      return data_loss("expected {} bytes, got {}", *expected_.size, size_);
    }
    if (expected_.digest && digest != *expected_.digest) {
      return data_loss("expected {}, got {}", expected_.digest->str(), digest.str());
    }
    // Takes the place of an equal blob, or of one that a power cut tore.
    TRY(sys::rename_at(directories_->drafts.get(), draft_.name, directories_->blobs.get(),
                       digest.hex()));
    draft_.name.clear();
    return BlobInfo{digest, size_};
  }

 private:
  std::shared_ptr<const Directories> directories_;
  Draft draft_;
  Expected expected_;
  Hasher hasher_;
  std::uint64_t size_ = 0;
};

class LocalContentStore final : public ContentStore {
 public:
  explicit LocalContentStore(Directories directories)
      : directories_(std::make_shared<const Directories>(std::move(directories))),
        boot_time_(boot_time()) {}

  Result<Fd> open(const Digest& digest) override {
    Result<Fd> fd = sys::open_at(blobs(), digest.hex(), O_RDONLY | O_NOFOLLOW);
    if (!fd) {
      return is_missing(fd.error()) ? not_found("blob {}", digest.str()) : std::move(fd).error();
    }
    const struct stat info = TRY(sys::fstat(fd->get()));
    TRY(check(digest, fd->get(), info));
    return fd;
  }

  Result<std::unique_ptr<Ingest>> begin(Expected expected) override {
    Draft draft = TRY(create_draft(directories_->drafts.get()).context("begin a blob"));
    return std::unique_ptr<Ingest>(
        std::make_unique<LocalIngest>(directories_, std::move(draft), expected));
  }

  Result<std::optional<BlobInfo>> stat(const Digest& digest) override {
    Result<struct stat> info = sys::lstat_at(blobs(), digest.hex());
    if (info && trusted(*info)) {
      return std::optional(BlobInfo{digest, static_cast<std::uint64_t>(info->st_size)});
    }
    const Result<Fd> fd = open(digest);
    if (!fd) {
      return fd.error().kind() == ErrorKind::NotFound ? Result(std::optional<BlobInfo>())
                                                      : fd.error();
    }
    const struct stat checked = TRY(sys::fstat(fd->get()));
    return std::optional(BlobInfo{digest, static_cast<std::uint64_t>(checked.st_size)});
  }

  Status remove(const Digest& digest) override {
    const Status removed = sys::unlink_at(blobs(), digest.hex());
    return !removed && is_missing(removed.error()) ? Status() : removed;
  }

  Status walk(const std::function<Status(const BlobInfo&)>& visit) override {
    for (const std::string& name : TRY(sys::list_dir(blobs()))) {
      const Result<Digest> digest = Digest::parse("sha256:" + name);
      const Result<struct stat> info = sys::lstat_at(blobs(), name);
      if (digest && info && S_ISREG(info->st_mode)) {
        TRY(visit({*digest, static_cast<std::uint64_t>(info->st_size)}));
      }
    }
    return {};
  }

 private:
  int blobs() const { return directories_->blobs.get(); }

  /// Written or verified since the kernel started: then the page cache cannot have lost any of it.
  bool trusted(const struct stat& info) const { return !earlier(info.st_mtim, boot_time_); }

  /// Hashes a blob of an earlier boot and remembers the outcome in its mtime. A torn one was never
  /// there.
  Status check(const Digest& digest, int fd, const struct stat& info) const {
    if (trusted(info)) {
      return {};
    }
    std::vector<std::byte> buffer(kReadBuffer);
    Hasher hasher;
    for (std::uint64_t offset = 0;;) {
      const std::size_t count = TRY(sys::pread_full(fd, buffer, offset));
      if (count == 0) {
        break;
      }
      hasher.update(ByteSpan(buffer).first(count));
      offset += count;
    }
    if (hasher.finish() == digest) {
      struct timespec now {};
      ::clock_gettime(CLOCK_REALTIME, &now);
      (void)sys::set_times(fd, now);  // on a read-only store it is hashed again next time
      return {};
    }
    log::debug("blob {} does not hold its bytes any more and is removed", digest.str());
    TRY(discard(digest, info));
    return not_found("blob {}", digest.str())
        .with_hint("its stored copy was damaged, most likely by a power cut, and has been removed");
  }

  /// Removes the damaged file, not one that a writer may have put in its place.
  Status discard(const Digest& digest, const struct stat& damaged) const {
    const Result<struct stat> current = sys::lstat_at(blobs(), digest.hex());
    if (!current || current->st_ino != damaged.st_ino) {
      return {};
    }
    return sys::unlink_at(blobs(), digest.hex());
  }

  std::shared_ptr<const Directories> directories_;
  const struct timespec boot_time_;
};

Status remove_dead_drafts(int drafts) {
  for (const std::string& name : TRY(sys::list_dir(drafts))) {
    const Result<Fd> fd = sys::open_at(drafts, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd && try_lock(fd->get())) {
      (void)sys::unlink_at(drafts, name);
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<ContentStore>> make_local_content_store(const std::string& directory) {
  const std::string blobs = join_path(directory, "blobs/sha256");
  const std::string drafts = join_path(directory, "ingest");
  TRY(make_dirs(blobs, kDirectoryMode));
  TRY(make_dirs(drafts, kDirectoryMode));
  Directories directories;
  directories.blobs = TRY(sys::open(blobs, O_RDONLY | O_DIRECTORY));
  directories.drafts = TRY(sys::open(drafts, O_RDONLY | O_DIRECTORY));
  TRY(remove_dead_drafts(directories.drafts.get()).context(drafts));
  return std::unique_ptr<ContentStore>(std::make_unique<LocalContentStore>(std::move(directories)));
}

}  // namespace mybuild::snapshotter

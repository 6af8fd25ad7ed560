// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/content/local_store.h"

#include "snapshotter/base/boot.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/leases.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"

#include <sys/file.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

namespace mybuild::snapshotter {

namespace {

constexpr mode_t kBlobMode = 0444;
constexpr mode_t kDirectoryMode = 0700;
constexpr std::size_t kReadBuffer = 256 * 1024;

bool is_missing(const Error& error) {
  return error.os_errno() == ENOENT;
}

/// A blob that was used less than so many seconds ago is not marked again.
constexpr std::int64_t kUseGranularity = 1;

std::int64_t now_in_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// The part below a second of the mtime that our own hand leaves on a whole blob: made of its
/// digest and the boot. Any write to the file puts the clock in its place, and who puts the mark
/// back cannot put back the ctime, which is not later than the seconds of a mark that we made.
long whole_mark(const Digest& digest, const std::string& boot) {
  const Digest mark = Digest::of(boot + digest.hex());
  std::uint32_t bits = 0;
  std::memcpy(&bits, mark.bytes.data(), sizeof bits);
  return static_cast<long>(bits % 1'000'000'000U);
}

Status mark_whole(int fd, const Digest& digest, const std::string& boot) {
  return sys::set_times(fd, {.tv_sec = now_in_seconds(), .tv_nsec = whole_mark(digest, boot)});
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

/// What a store and its drafts share.
struct Place {
  std::string directory;
  Fd blobs;
  Fd drafts;
  std::string boot;
  std::unique_ptr<Leases> leases;  // null when nobody else is there

  /// True at the first use.
  Result<bool> hold(const Digest& digest) const {
    return leases ? leases->hold(Leases::blob(digest)) : Result<bool>(false);
  }
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
  LocalIngest(std::shared_ptr<const Place> place, Draft draft, Expected expected)
      : place_(std::move(place)), draft_(std::move(draft)), expected_(expected) {}
  LocalIngest(const LocalIngest&) = delete;
  LocalIngest& operator=(const LocalIngest&) = delete;
  ~LocalIngest() override {
    if (!draft_.name.empty()) {
      (void)sys::unlink_at(place_->drafts.get(), draft_.name);
    }
  }

  Status write(ByteSpan bytes) override {
    size_ += bytes.size();
    if (expected_.size && size_ > *expected_.size) {
      return data_loss("more than the expected {} bytes", *expected_.size);
    }
    hasher_.update(bytes);
    return sys::write_all(draft_.fd.get(), bytes).context("write a blob in " + place_->directory);
  }

  Result<Fd> reader() override {
    return sys::open(fmt::format("/proc/self/fd/{}", draft_.fd.get()), O_RDONLY);
  }

  void expect(const Digest& digest) override { expected_.digest = digest; }

  Result<BlobInfo> commit() && override {
    const Digest digest = hasher_.finish();
    if (expected_.size && size_ != *expected_.size) {
      return data_loss("expected {} bytes, got {}", *expected_.size, size_);
    }
    if (expected_.digest && digest != *expected_.digest) {
      return data_loss("expected {}, got {}", expected_.digest->str(), digest.str());
    }
    TRY(mark_whole(draft_.fd.get(), digest, place_->boot));
    TRY(place_->hold(digest));
    // Takes the place of an equal blob, or of one that a power cut tore.
    TRY(sys::rename_at(place_->drafts.get(), draft_.name, place_->blobs.get(), digest.hex()));
    draft_.name.clear();
    return BlobInfo{.digest = digest, .size = size_, .last_used = 0};
  }

 private:
  std::shared_ptr<const Place> place_;
  Draft draft_;
  Expected expected_;
  Hasher hasher_;
  std::uint64_t size_ = 0;
};

class LocalContentStore final : public ContentStore {
 public:
  LocalContentStore(Place place, std::optional<Removals> removals)
      : place_(std::make_shared<const Place>(std::move(place))), removals_(std::move(removals)) {}

  Result<Fd> open(const Digest& digest) override {
    const bool first = TRY(place_->hold(digest));
    Result<Fd> fd = sys::open_at(blobs(), digest.hex(), O_RDONLY | O_NOFOLLOW);
    if (!fd) {
      return is_missing(fd.error()) ? not_found("blob {} is not in the store", digest.str())
                                    : std::move(fd).error();
    }
    const struct stat info = TRY(sys::fstat(fd->get()));
    TRY(check(digest, fd->get(), info));
    if (first) {
      note_use(digest, info);
    }
    return fd;
  }

  Result<std::unique_ptr<Ingest>> begin(Expected expected) override {
    Draft draft =
        TRY(create_draft(place_->drafts.get()).context("begin a blob in " + place_->directory));
    return std::unique_ptr<Ingest>(
        std::make_unique<LocalIngest>(place_, std::move(draft), expected));
  }

  Result<std::optional<BlobInfo>> stat(const Digest& digest) override {
    const bool first = TRY(place_->hold(digest));
    Result<struct stat> info = sys::lstat_at(blobs(), digest.hex());
    if (!info || !trusted(digest, *info)) {
      const Result<Fd> fd = open(digest);
      if (!fd) {
        return fd.error().kind() == ErrorKind::NotFound ? Result(std::optional<BlobInfo>())
                                                        : fd.error();
      }
      info = TRY(sys::fstat(fd->get()));
    }
    if (first) {
      note_use(digest, *info);
    }
    return std::optional(info_of(digest, *info));
  }

  Status remove(const Digest& digest) override {
    const Status removed = sys::unlink_at(blobs(), digest.hex());
    return !removed && is_missing(removed.error()) ? Status() : removed;
  }

  Result<bool> remove_unused(const Digest& digest) override {
    auto removals = removals_.lock();
    const std::string name = Leases::blob(digest);
    if (*removals && !TRY((*removals)->take(name))) {
      return false;
    }
    const Status removed = remove(digest);
    if (*removals) {
      TRY((*removals)->release(name));
    }
    TRY(removed);
    return true;
  }

  Status walk(const std::function<Status(const BlobInfo&)>& visit) override {
    for (const std::string& name : TRY(sys::list_dir(blobs()))) {
      const Result<Digest> digest = Digest::parse("sha256:" + name);
      const Result<struct stat> info = sys::lstat_at(blobs(), name);
      if (digest && info && S_ISREG(info->st_mode)) {
        TRY(visit(info_of(*digest, *info)));
      }
    }
    return {};
  }

  Result<bool> verify(const Digest& digest) override {
    TRY(place_->hold(digest));
    const Result<Fd> fd = sys::open_at(blobs(), digest.hex(), O_RDONLY | O_NOFOLLOW);
    if (!fd) {
      return is_missing(fd.error()) ? Result<bool>(true) : fd.error();
    }
    if (TRY(digest_of(fd->get())) != digest) {
      return false;
    }
    (void)mark_whole(fd->get(), digest, place_->boot);
    return true;
  }

  std::size_t damage_found() const override { return damage_found_; }

 private:
  int blobs() const { return place_->blobs.get(); }

  static BlobInfo info_of(const Digest& digest, const struct stat& info) {
    return {.digest = digest,
            .size = static_cast<std::uint64_t>(info.st_size),
            .last_used = std::max(info.st_atim.tv_sec, info.st_mtim.tv_sec)};
  }

  /// Written or verified by us in this boot, and not written to since: then the page cache cannot
  /// have lost any of it.
  bool trusted(const Digest& digest, const struct stat& info) const {
    return info.st_mtim.tv_nsec == whole_mark(digest, place_->boot) &&
           info.st_ctim.tv_sec <= info.st_mtim.tv_sec;
  }

  /// The access time is ours: file systems are mounted without. Of a blob that was found whole.
  void note_use(const Digest& digest, const struct stat& info) const {
    const std::int64_t now = now_in_seconds();
    if (info.st_atim.tv_sec + kUseGranularity < now) {
      (void)sys::set_times_at(blobs(), digest.hex(),
                              {.tv_sec = now, .tv_nsec = whole_mark(digest, place_->boot)});
    }
  }

  static Result<Digest> digest_of(int fd) {
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
    return hasher.finish();
  }

  /// Hashes a blob that nobody vouches for, and vouches for it or removes it: a torn one was never
  /// there.
  Status check(const Digest& digest, int fd, const struct stat& info) {
    if (trusted(digest, info)) {
      return {};
    }
    if (TRY(digest_of(fd)) == digest) {
      (void)mark_whole(fd, digest, place_->boot);  // where that fails it is hashed again next time
      return {};
    }
    log::debug("blob {} does not hold its bytes any more and is removed", digest.str());
    TRY(discard(digest, info));
    ++damage_found_;
    return not_found("blob {} is not in the store", digest.str())
        .with_hint("its stored copy was damaged and has been removed");
  }

  /// Removes the damaged file, not one that a writer may have put in its place.
  Status discard(const Digest& digest, const struct stat& damaged) const {
    const Result<struct stat> current = sys::lstat_at(blobs(), digest.hex());
    if (!current || current->st_ino != damaged.st_ino) {
      return {};
    }
    return sys::unlink_at(blobs(), digest.hex());
  }

  std::shared_ptr<const Place> place_;
  Guarded<std::optional<Removals>> removals_;
  std::atomic<std::size_t> damage_found_{0};
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

Result<std::unique_ptr<ContentStore>> make_local_content_store(const std::string& directory,
                                                               ContentUsers users) {
  const std::string blobs = join_path(directory, "blobs/sha256");
  const std::string drafts = join_path(directory, "ingest");
  TRY(make_dirs(blobs, kDirectoryMode));
  TRY(make_dirs(drafts, kDirectoryMode));
  Fd blobs_fd = TRY(sys::open(blobs, O_RDONLY | O_DIRECTORY));
  Fd drafts_fd = TRY(sys::open(drafts, O_RDONLY | O_DIRECTORY));
  std::string boot = TRY(boot_id());
  std::unique_ptr<Leases> leases;
  std::optional<Removals> removals;
  if (users == ContentUsers::Many) {
    leases = TRY(Leases::open(directory));
    removals = TRY(leases->removals());
  }
  TRY(remove_dead_drafts(drafts_fd.get()).context(drafts));
  return std::unique_ptr<ContentStore>(
      std::make_unique<LocalContentStore>(Place{.directory = directory,
                                                .blobs = std::move(blobs_fd),
                                                .drafts = std::move(drafts_fd),
                                                .boot = std::move(boot),
                                                .leases = std::move(leases)},
                                          std::move(removals)));
}

}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/local_blob_store.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/content/local_store.h"

#include <fcntl.h>

#include <cerrno>

namespace mybuild::cache_server {

namespace {

using snapshotter::ContentStore;
using snapshotter::Ingest;

/// The disk begins with an upload when so much of it is there, so that the sync at its end is
/// short.
constexpr std::uint64_t kWriteBack = 8 << 20;

class FileBlobReader final : public BlobReader {
 public:
  FileBlobReader(Fd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read(std::uint64_t offset, MutableByteSpan buffer) override {
    return sys::pread_full(fd_.get(), buffer, offset);
  }
  int file() const override { return fd_.get(); }

 private:
  Fd fd_;
  std::uint64_t size_;
};

/// What a store and its writers share.
struct Place {
  std::unique_ptr<ContentStore> content;
  Fd blobs;
};

class LocalBlobWriter final : public BlobWriter {
 public:
  LocalBlobWriter(std::shared_ptr<Place> place, std::unique_ptr<Ingest> ingest)
      : place_(std::move(place)), ingest_(std::move(ingest)) {}

  Status write(ByteSpan bytes) override {
    TRY(ingest_->write(bytes));
    size_ += bytes.size();
    return size_ - on_its_way_ < kWriteBack ? Status() : start_write_back();
  }
  std::uint64_t size() const override { return size_; }
  Status commit(const Digest& digest) && override {
    ingest_->expect(digest);
    TRY(open_file());
    TRY(sys::fsync(file_.get()));
    const auto committed = std::move(*ingest_).commit();
    if (!committed) {
      const Error& error = committed.error();
      return error.kind() == ErrorKind::DataLoss ? invalid_argument("{}", error.message()) : error;
    }
    return sys::fsync(place_->blobs.get());
  }

 private:
  Status open_file() {
    if (!file_) {
      file_ = TRY(ingest_->reader());
    }
    return {};
  }

  /// A failure shows in fsync(2), too.
  Status start_write_back() {
    TRY(open_file());
    (void)::sync_file_range(file_.get(), static_cast<off_t>(on_its_way_),
                            static_cast<off_t>(size_ - on_its_way_), SYNC_FILE_RANGE_WRITE);
    on_its_way_ = size_;
    return {};
  }

  std::shared_ptr<Place> place_;
  std::unique_ptr<Ingest> ingest_;
  std::uint64_t size_ = 0;
  std::uint64_t on_its_way_ = 0;  // bytes that the kernel has been told to write
  Fd file_;
};

class LocalBlobStore final : public BlobStore {
 public:
  explicit LocalBlobStore(Place place) : place_(std::make_shared<Place>(std::move(place))) {}

  Result<std::unique_ptr<BlobWriter>> begin() override {
    auto ingest = TRY(place_->content->begin({}));
    return std::unique_ptr<BlobWriter>(
        std::make_unique<LocalBlobWriter>(place_, std::move(ingest)));
  }

  // ContentStore::stat() would read a blob of an earlier boot, and nobody gets its bytes here.
  Result<std::optional<std::uint64_t>> size(const Digest& digest) override {
    const Result<struct stat> info = sys::lstat_at(place_->blobs.get(), digest.hex());
    if (!info) {
      return info.error().os_errno() == ENOENT ? Result(std::optional<std::uint64_t>())
                                               : info.error();
    }
    return std::optional(static_cast<std::uint64_t>(info->st_size));
  }

  // That the count has grown may be another blob's damage; this one is gone then all the same.
  Result<std::unique_ptr<BlobReader>> open(const Digest& digest) override {
    const std::size_t damage = place_->content->damage_found();
    Result<Fd> fd = place_->content->open(digest);
    if (!fd) {
      const bool is_damage =
          fd.error().kind() == ErrorKind::NotFound && place_->content->damage_found() != damage;
      return is_damage ? data_loss("{}", fd.error().message()) : std::move(fd).error();
    }
    const struct stat info = TRY(sys::fstat(fd->get()));
    return std::unique_ptr<BlobReader>(
        std::make_unique<FileBlobReader>(std::move(*fd), static_cast<std::uint64_t>(info.st_size)));
  }

  Status remove(const Digest& digest) override { return place_->content->remove(digest); }

  Status walk(
      const std::function<Status(const Digest& digest, std::uint64_t size)>& visit) override {
    return place_->content->walk(
        [&](const snapshotter::BlobInfo& info) { return visit(info.digest, info.size); });
  }

 private:
  std::shared_ptr<Place> place_;
};

}  // namespace

Result<std::unique_ptr<BlobStore>> open_local_blob_store(const std::string& directory) {
  auto content =
      TRY(snapshotter::make_local_content_store(directory, snapshotter::ContentUsers::One));
  Fd blobs = TRY(sys::open(join_path(directory, "blobs/sha256"), O_RDONLY | O_DIRECTORY));
  return std::unique_ptr<BlobStore>(std::make_unique<LocalBlobStore>(
      Place{.content = std::move(content), .blobs = std::move(blobs)}));
}

}  // namespace mybuild::cache_server

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/content_memory.h"

#include "snapshotter/base/sys.h"
#include "snapshotter/tree_entry.h"

namespace mybuild::snapshotter {

namespace {

bool same_time(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool same_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && same_time(a.st_mtim, b.st_mtim) &&
         same_time(a.st_ctim, b.st_ctim);
}

}  // namespace

Result<Digest> hash_file(int fd, std::uint64_t size) {
  Hasher hasher;
  // One byte more than there should be, so that the end is seen without a second buffer's worth.
  std::vector<std::byte> buffer(std::min<std::uint64_t>(size + 1, 256 * 1024));
  for (;;) {
    const std::size_t count = TRY(sys::read(fd, buffer));
    if (count == 0) {
      return hasher.finish();
    }
    hasher.update(ByteSpan(buffer).first(count));
  }
}

std::optional<FileFacts> ContentMemory::recall(const struct stat& info) const {
  return index_ == nullptr || reread_ ? std::nullopt : index_->find(info);
}

Result<std::optional<Entry>> ContentMemory::read(int fd, const std::string& path) const {
  const Reading reading = TRY(begin(fd));
  if (!S_ISREG(reading.before.st_mode)) {
    return std::optional<Entry>();
  }
  const auto size = static_cast<std::uint64_t>(reading.before.st_size);
  return end(fd, reading, path, TRY(hash_file(fd, size).context(path)));
}

Result<ContentMemory::Reading> ContentMemory::begin(int fd) const {
  Reading reading;
  reading.started = file_clock();
  reading.before = TRY(sys::fstat(fd));
  return reading;
}

Result<std::optional<Entry>> ContentMemory::end(int fd, const Reading& reading,
                                                const std::string& path,
                                                const Digest& content) const {
  Entry entry = TRY(read_file_entry(fd, reading.before, path));
  entry.content = content;
  const struct stat after = TRY(sys::fstat(fd));
  if (!same_state(reading.before, after)) {
    return std::optional<Entry>();
  }
  if (index_ != nullptr && is_settled(reading.before, reading.started) && tells_changes(fd)) {
    index_->remember(reading.before, {.content = content, .bare = entry.xattrs.empty()});
  }
  return std::optional(std::move(entry));
}

void ContentMemory::forget(const struct stat& info) const {
  if (index_ != nullptr) {
    index_->forget(info);
  }
}

}  // namespace mybuild::snapshotter

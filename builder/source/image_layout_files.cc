// SPDX-License-Identifier: Apache-2.0
#include "builder/source/image_layout_files.h"

#include "snapshotter/archive/libarchive.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <map>
#include <optional>

namespace mybuild::source {

namespace {

using snapshotter::Libarchive;

constexpr std::size_t kReadSize = 256 << 10;
constexpr std::size_t kMaxMembers = 200'000;
constexpr int kMaxLinks = 16;
constexpr std::uint64_t kTarBlock = 512;

class DirectoryFiles final : public LayoutFiles {
 public:
  explicit DirectoryFiles(Fd root) : root_(std::move(root)) {}

  bool has(const std::string& name) const override { return open_file(name).has_value(); }
  Result<std::uint64_t> size(const std::string& name) const override {
    const Fd fd = TRY(open_file(name));
    const struct stat info = TRY(sys::fstat(fd.get()));
    return static_cast<std::uint64_t>(info.st_size);
  }
  Result<std::unique_ptr<Source>> open(const std::string& name) const override {
    Fd fd = TRY(open_file(name));
    return std::unique_ptr<Source>(std::make_unique<FileSource>(std::move(fd)));
  }

 private:
  Result<Fd> open_file(const std::string& name) const {
    Fd fd = TRY(open_in_root(root_.get(), name, O_RDONLY | O_NONBLOCK));  // a FIFO must not block
    const struct stat info = TRY(sys::fstat(fd.get()));
    if (!S_ISREG(info.st_mode)) {
      return invalid_argument("{} is not a regular file", name);
    }
    return fd;
  }

  Fd root_;
};

/// A stretch of a file that others read too, so by position only.
class RangeSource final : public Source {
 public:
  RangeSource(int fd, std::uint64_t offset, std::uint64_t size)
      : fd_(fd), offset_(offset), left_(size) {}

  Result<std::size_t> read(MutableByteSpan buffer) override {
    const MutableByteSpan wanted = buffer.first(std::min<std::uint64_t>(buffer.size(), left_));
    const std::size_t count = TRY(sys::pread_full(fd_, wanted, offset_));
    if (count < wanted.size()) {
      return data_loss("the tar ends in the middle of a file");
    }
    offset_ += count;
    left_ -= count;
    return count;
  }

 private:
  int fd_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

/// Where the bytes of a member lie: a stretch of the tar, a file it was unpacked to, or wherever
/// another member's lie.
struct Member {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::string unpacked;
  std::string link;
};
using Members = std::map<std::string, Member>;

class TarFiles final : public LayoutFiles {
 public:
  TarFiles(Fd tar, Members members, std::optional<TempDir> dir)
      : tar_(std::move(tar)), members_(std::move(members)), dir_(std::move(dir)) {}

  bool has(const std::string& name) const override { return find(name) != nullptr; }
  Result<std::uint64_t> size(const std::string& name) const override {
    const Member* const member = find(name);
    if (member == nullptr) {
      return not_found("{} is not in the archive", name);
    }
    return member->size;
  }
  Result<std::unique_ptr<Source>> open(const std::string& name) const override {
    const Member* const member = find(name);
    if (member == nullptr) {
      return not_found("{} is not in the archive", name);
    }
    if (!member->unpacked.empty()) {
      Fd fd = TRY(sys::open(member->unpacked, O_RDONLY));
      return std::unique_ptr<Source>(std::make_unique<FileSource>(std::move(fd)));
    }
    return std::unique_ptr<Source>(
        std::make_unique<RangeSource>(tar_.get(), member->offset, member->size));
  }

 private:
  /// Old docker archives store a layer once and link to it.
  const Member* find(const std::string& name) const {
    std::string current = clean_relative(name);
    for (int links = 0; links < kMaxLinks; ++links) {
      const auto found = members_.find(current);
      if (found == members_.end()) {
        return nullptr;
      }
      if (found->second.link.empty()) {
        return &found->second;
      }
      current = found->second.link;
    }
    return nullptr;
  }

  Fd tar_;
  Members members_;
  std::optional<TempDir> dir_;
};

using Archive = std::unique_ptr<struct archive, decltype(Libarchive::read_free)>;

Result<Archive> open_archive(const Libarchive& api, int fd, const std::string& path) {
  Archive handle(api.read_new(), api.read_free);
  api.read_support_format_tar(handle.get());
  api.read_support_filter_gzip(handle.get());
  api.read_support_filter_zstd(handle.get());
  api.read_support_filter_bzip2(handle.get());
  api.read_support_filter_xz(handle.get());
  if (api.read_open_fd(handle.get(), fd, kReadSize) != ARCHIVE_OK) {
    return invalid_argument("{} is not a tar archive: {}", path, api.error_string(handle.get()));
  }
  return handle;
}

/// Lists the members of a tar and, if it is compressed, unpacks them on the way.
class TarIndexer {
 public:
  TarIndexer(const Libarchive& api, struct archive* handle, const TempDir* unpack_to)
      : api_(api), handle_(handle), unpack_to_(unpack_to) {}

  Result<Members> run(const std::string& path) {
    struct archive_entry* entry = nullptr;
    for (;;) {
      const int code = api_.read_next_header(handle_, &entry);
      close_last();
      if (code == ARCHIVE_EOF) {
        return std::move(members_);
      }
      if (code < ARCHIVE_WARN || api_.entry_pathname(entry) == nullptr) {
        return invalid_argument("{} is not a usable tar archive: {}", path, archive_text());
      }
      if (members_.size() >= kMaxMembers) {
        return invalid_argument("{} has more than {} files", path, kMaxMembers);
      }
      TRY(take(entry).context(path));
    }
  }

 private:
  std::string archive_text() const {
    const char* const text = api_.error_string(handle_);
    return text == nullptr ? "a name cannot be read" : text;
  }

  /// The bytes of a member end, padded, where the next header starts; its own header may be of any
  /// length.
  void close_last() {
    if (last_ != nullptr) {
      const auto end = static_cast<std::uint64_t>(api_.read_header_position(handle_));
      const std::uint64_t padded = (last_->size + kTarBlock - 1) / kTarBlock * kTarBlock;
      last_->offset = end < padded ? 0 : end - padded;
      last_ = nullptr;
    }
  }

  Status take(struct archive_entry* entry) {
    const std::string name = clean_relative(api_.entry_pathname(entry));
    if (const char* const target = api_.entry_hardlink(entry)) {
      members_[name].link = clean_relative(target);
    } else if (api_.entry_filetype(entry) == AE_IFLNK && api_.entry_symlink(entry) != nullptr) {
      const std::string folder = name.substr(0, std::min(name.rfind('/'), name.size()));
      const bool top = name.find('/') == std::string::npos;
      members_[name].link =
          clean_relative(join_path(top ? std::string(".") : folder, api_.entry_symlink(entry)));
    } else if (api_.entry_filetype(entry) == AE_IFREG) {
      return take_file(name, entry);
    }
    return {};
  }

  Status take_file(const std::string& name, struct archive_entry* entry) {
    Member& member = members_[name];
    member = Member{};
    member.size = static_cast<std::uint64_t>(std::max<la_int64_t>(api_.entry_size(entry), 0));
    if (unpack_to_ == nullptr) {
      last_ = &member;
      return {};
    }
    member.unpacked = fmt::format("{}/{}", unpack_to_->path(), members_.size());
    const Fd fd = TRY(sys::open(member.unpacked, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    if (api_.read_data_into_fd(handle_, fd.get()) != ARCHIVE_OK) {
      return data_loss("unpack {}: {}", name, archive_text());
    }
    return {};
  }

  const Libarchive& api_;
  struct archive* handle_;
  const TempDir* unpack_to_;
  Members members_;
  Member* last_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<LayoutFiles>> open_layout_directory(const std::string& path) {
  Fd root = TRY(sys::open(path, O_RDONLY | O_DIRECTORY));
  return std::unique_ptr<LayoutFiles>(std::make_unique<DirectoryFiles>(std::move(root)));
}

Result<std::unique_ptr<LayoutFiles>> open_layout_tar(const std::string& path) {
  Fd fd = TRY(sys::open(path, O_RDONLY));
  const Libarchive api = TRY(Libarchive::load());
  const Archive handle = TRY(open_archive(api, fd.get(), path));
  std::optional<TempDir> dir;
  if (api.filter_code(handle.get(), 0) != ARCHIVE_FILTER_NONE) {
    dir.emplace(TRY(TempDir::create()));
  }
  Members members = TRY(TarIndexer(api, handle.get(), dir ? &*dir : nullptr).run(path));
  return std::unique_ptr<LayoutFiles>(
      std::make_unique<TarFiles>(std::move(fd), std::move(members), std::move(dir)));
}

}  // namespace mybuild::source

// SPDX-License-Identifier: Apache-2.0
#include "builder/export/output_file.h"

#include "snapshotter/base/sys.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

namespace mybuild::exporter {

namespace {

constexpr std::size_t kBufferSize = 256 * 1024;

Result<Fd> standard_output() {
  if (::isatty(STDOUT_FILENO) == 1) {
    return invalid_argument("refusing to write an archive to a terminal")
        .with_hint("redirect standard output, or name a file with dest=");
  }
  return sys::dup(STDOUT_FILENO);
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& dest) {
  if (dest.empty() || dest == "-") {
    Fd stream = TRY(standard_output());
    return OutputFile("standard output", std::move(stream));
  }
  if (std::optional<OutputFile> draft = TRY(open_draft(dest))) {
    return std::move(*draft);
  }
  Fd stream = TRY(sys::open(dest, O_WRONLY));  // a rename would replace the device
  return OutputFile(dest, std::move(stream));
}

Result<std::optional<OutputFile>> OutputFile::open_draft(const std::string& dest) {
  const Result<struct stat> info = sys::stat_at(AT_FDCWD, dest);
  if (!info && info.error().os_errno() != ENOENT) {
    return info.error();
  }
  if (info && S_ISDIR(info->st_mode)) {
    return invalid_argument("{} is a directory", dest).with_hint("name a file with dest=");
  }
  if (info && !S_ISREG(info->st_mode)) {
    return std::optional<OutputFile>();
  }
  std::string path = dest;
  if (info) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(dest.c_str(), nullptr),
                                                           &std::free);
    if (!real) {
      return os_error(errno, "resolve " + dest);
    }
    path = real.get();
  }
  const mode_t mode = info ? info->st_mode & 0777 : 0644;  // nobody reads it who could not before
  AtomicFile draft = TRY(AtomicFile::create(path, mode));
  return std::optional(OutputFile(dest, std::move(draft)));
}

Status OutputFile::write(ByteSpan bytes) {
  if (buffer_.size() + bytes.size() > kBufferSize) {
    TRY(flush());
  }
  if (bytes.size() >= kBufferSize) {
    return put(bytes);
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

Status OutputFile::commit() && {
  TRY(flush());
  if (draft_) {
    return std::move(*draft_).commit();
  }
  return {};
}

Status OutputFile::seek(std::uint64_t position) {
  TRY(flush());
  if (!draft_ || ::lseek(draft_->fd(), static_cast<off_t>(position), SEEK_SET) < 0) {
    return os_error(draft_ ? errno : ESPIPE, "seek in " + name_);
  }
  flushed_ = position;
  return {};
}

Status OutputFile::put(ByteSpan bytes) {
  TRY(sys::write_all(draft_ ? draft_->fd() : stream_.get(), bytes).context("write " + name_));
  flushed_ += bytes.size();
  return {};
}

Status OutputFile::flush() {
  TRY(put(buffer_));
  buffer_.clear();
  return {};
}

}  // namespace mybuild::exporter

// SPDX-License-Identifier: Apache-2.0
// OutputFile: where a one-file export goes. A regular file is written as a draft beside it that
// takes its name with commit(), so a failed export keeps the old one; standard output, pipes and
// devices get the bytes as they come. Buffered. Move-only, thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/file.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::exporter {

class OutputFile final : public Sink {
 public:
  /// "-" (or "") is standard output, refused when that is a terminal. Links are followed to the
  /// file they name.
  static Result<OutputFile> open(const std::string& dest);
  /// What another process reads; `name` is for messages.
  static OutputFile stream(std::string name, Fd fd) {
    return OutputFile(std::move(name), std::move(fd));
  }

  /// Nullopt where no draft takes the name: a stream, or what is no regular file.
  static Result<std::optional<OutputFile>> open_draft(const std::string& dest);

  Status write(ByteSpan bytes) override;
  /// Where the next byte that write() takes goes to.
  std::uint64_t position() const { return flushed_ + buffer_.size(); }
  /// Of a draft only.
  Status seek(std::uint64_t position);
  Status commit() &&;

 private:
  OutputFile(std::string name, Fd stream) : name_(std::move(name)), stream_(std::move(stream)) {}
  OutputFile(std::string name, AtomicFile draft)
      : name_(std::move(name)), draft_(std::move(draft)) {}
  Status put(ByteSpan bytes);
  Status flush();

  std::string name_;
  Fd stream_;
  std::optional<AtomicFile> draft_;
  std::uint64_t flushed_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace mybuild::exporter

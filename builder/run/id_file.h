// SPDX-License-Identifier: Apache-2.0
// IdFile: the file of --cidfile. It must not exist before, and is not left behind without an id.
// Move-only, thread-compatible.
#pragma once

#include "snapshotter/base/fd.h"
#include "snapshotter/base/result.h"

#include <string>

namespace mybuild::run {

class IdFile {
 public:
  /// An empty path: no file at all.
  static Result<IdFile> reserve(const std::string& path);
  IdFile(IdFile&& other) noexcept;
  IdFile& operator=(IdFile&&) = delete;
  ~IdFile();

  Status write(const std::string& id) &&;

 private:
  IdFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;  // empty once it has an id
  Fd fd_;
};

}  // namespace mybuild::run

// SPDX-License-Identifier: Apache-2.0
// The files of an image layout by name, out of a directory or a tar. Names come from the layout
// itself and cannot lead outside of it. Thread-safe.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <memory>
#include <string>

namespace mybuild::source {

class LayoutFiles {
 public:
  virtual ~LayoutFiles() = default;
  virtual bool has(const std::string& name) const = 0;
  virtual Result<std::uint64_t> size(const std::string& name) const = 0;
  /// NotFound names the file.
  virtual Result<std::unique_ptr<Source>> open(const std::string& name) const = 0;
};

Result<std::unique_ptr<LayoutFiles>> open_layout_directory(const std::string& path);
/// A plain tar is read in place; a compressed one is unpacked to a temporary directory that goes
/// with the object.
Result<std::unique_ptr<LayoutFiles>> open_layout_tar(const std::string& path);

}  // namespace mybuild::source

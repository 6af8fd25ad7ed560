// SPDX-License-Identifier: Apache-2.0
// A COPY whose files nobody has read yet may be done before its key is known, so that their bytes
// are read once for the layer and for the key. What is noted here is what was copied: the key is
// made of it, so both are of the same bytes. Thread-compatible.
#pragma once

#include "builder/ops/selection.h"
#include "snapshotter/content_memory.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace mybuild::ops {

/// Of the files of a selection.
struct SelectedBytes {
  std::uint64_t all = 0;
  std::uint64_t unread = 0;     // of files whose contents are not known
  bool has_hard_links = false;  // several names of one file
  SelectedBytes& operator+=(const SelectedBytes& other);
};
SelectedBytes count_bytes(const std::vector<SelectedSource>& sources);

/// The digests of files that a copy read. The selections it reads must stay where they are.
class CopiedContents {
 public:
  explicit CopiedContents(snapshotter::ContentMemory memory) : memory_(memory) {}

  /// The files of a selection in `from`, for plan_copy(): what is opened here is noted, if it is
  /// read by way of what through() gives.
  std::unique_ptr<snapshotter::EntryContents> files(const snapshotter::EntryContents& from);
  /// What is planned, for who reads it, one file after the other. Reading ends with DataLoss where
  /// a file is not what was selected, or changes meanwhile.
  std::unique_ptr<snapshotter::EntryContents> through(const snapshotter::EntryContents& planned);
  /// Into the entries that were opened.
  void fill_in(std::vector<SelectedSource>& sources);

 private:
  class Files;
  class Planned;
  struct Opened {
    const snapshotter::Entry* entry = nullptr;
    snapshotter::ContentMemory::Reading reading;
  };
  Status note(int fd, const Digest& content);

  snapshotter::ContentMemory memory_;
  std::optional<Opened> opened_;  // the file that is being read
  std::vector<std::pair<const snapshotter::Entry*, Digest>> read_;
};

}  // namespace mybuild::ops

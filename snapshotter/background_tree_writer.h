// SPDX-License-Identifier: Apache-2.0
// A TreeWriter with a thread of its own, which makes files while the caller reads and hashes the
// next ones. The caller makes short lists, directories, and files when the thread has enough to do:
// making many small ones takes longer than reading them. What went wrong is said by the next call,
// at the latest by finish(). Entries stay where they are until then. Thread-compatible.
#pragma once

#include "snapshotter/archive/entry.h"
#include "snapshotter/base/fd.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace mybuild::snapshotter {

class BackgroundTreeWriter {
 public:
  using Bytes = std::vector<std::byte>;

  explicit BackgroundTreeWriter(Fd root);
  ~BackgroundTreeWriter();
  BackgroundTreeWriter(const BackgroundTreeWriter&) = delete;
  BackgroundTreeWriter& operator=(const BackgroundTreeWriter&) = delete;

  /// For all but files. The list must be sorted, and every parent in it.
  Status add(const Entry& entry);
  /// The next bytes of a file, the first `size` of `buffer`.
  Status write(const Entry& file, Bytes buffer, std::size_t size, bool is_last);
  /// One that was written before, where possible; of any size.
  Bytes buffer();
  /// A file that the caller fills: it is there when this returns. Either he ends it with
  /// finish_file(), or he hands it over and goes on with write().
  Result<Fd> create(const Entry& file);
  void hand_over(Fd file);
  /// Once, after the last entry.
  Status finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mybuild::snapshotter

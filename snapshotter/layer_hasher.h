// SPDX-License-Identifier: Apache-2.0
// LayerHasher: diff id of a layer's tar, and the content digests of the files in it. Where the CPU
// has SHA-256 both come from one pass; else another thread computes the former. Thread-compatible.
#pragma once

#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/sha256_pair.h"

#include <memory>

namespace mybuild::snapshotter {

class LayerHasher final : public TarHasher {
 public:
  /// `copies` get every byte, too. One pass only where Sha256Pair is supported.
  explicit LayerHasher(Sink& copies, bool in_one_pass = Sha256Pair::is_supported());
  ~LayerHasher() override;

  Status write(ByteSpan bytes) override;
  void begin_file() override;
  Digest end_file() override;
  /// Once, after the last write.
  Digest finish();

 private:
  class Engine;
  class OnePass;
  class TwoThreads;
  Sink& copies_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace mybuild::snapshotter

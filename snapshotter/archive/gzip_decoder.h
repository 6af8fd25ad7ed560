// SPDX-License-Identifier: Apache-2.0
// GzipDecoder: gzip members in a row, written in as they come, passed on decoded: for answers of
// servers, which are pushed. Whoever can pull uses make_decompressor (codec.h). Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"

#include <memory>
#include <vector>

namespace mybuild::snapshotter {

class GzipDecoder final : public Sink {
 public:
  explicit GzipDecoder(Sink& sink);
  ~GzipDecoder() override;

  /// Corrupt input is DataLoss.
  Status write(ByteSpan compressed) override;
  /// DataLoss when the last member is not complete. No bytes at all are complete.
  Status finish() const;

 private:
  struct State;
  Sink& sink_;
  std::unique_ptr<State> state_;
  std::vector<std::byte> decoded_;
  bool in_member_ = false;
};

}  // namespace mybuild::snapshotter

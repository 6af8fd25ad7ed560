// SPDX-License-Identifier: Apache-2.0
// SHA-256 of a stream that another thread computes while the writer goes on, once the stream is
// long enough to be worth a thread. Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"

#include <memory>

namespace mybuild::snapshotter {

class BackgroundHasher final : public Sink {
 public:
  BackgroundHasher();
  ~BackgroundHasher() override;
  Status write(ByteSpan bytes) override;
  /// Once, after the last write.
  Digest finish();
  std::uint64_t size() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mybuild::snapshotter

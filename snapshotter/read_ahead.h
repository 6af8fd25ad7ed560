// SPDX-License-Identifier: Apache-2.0
// ReadAhead: a stream is read and hashed (SHA-256) by a thread of its own while the caller works on
// what came before, once it is long enough to be worth a thread; or by the caller, where other
// cores have enough to do. Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/base/digest.h"

#include <memory>

namespace mybuild::snapshotter {

class ReadAhead final : public Source {
 public:
  enum class Reader { Thread, Caller };

  /// `source` outlives the object, and is read by nobody else before finish() or the destructor.
  explicit ReadAhead(Source& source, Reader reader = Reader::Thread);
  /// Waits until a read of the source that is under way comes back.
  ~ReadAhead() override;

  Result<std::size_t> read(MutableByteSpan buffer) override;
  /// Once, when read() has said that this is the end.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mybuild::snapshotter

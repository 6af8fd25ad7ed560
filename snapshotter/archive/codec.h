// SPDX-License-Identifier: Apache-2.0
// Layer compression. Input is cut into fixed-size blocks that are compressed in parallel, while the
// writer goes on and a thread of its own writes to the sink, and stitched in order (one gzip member
// whose blocks end byte-aligned; one zstd frame per block), so the bytes depend on input, format,
// level and library version only, never on the number of cores or on how the input was handed over
// (format.md). Thread-compatible.
#pragma once

#include "snapshotter/base/bytes.h"
#include "snapshotter/oci/media_type.h"

#include <memory>
#include <optional>

namespace mybuild::snapshotter {

struct CompressionSpec {
  oci::Compression compression = oci::Compression::Gzip;
  std::optional<int> level;  // nullopt: our default
  bool force = false;        // also where an imported layer came in another form
  bool operator==(const CompressionSpec&) const = default;
};

/// What is written goes to `sink` compressed. finish() must be called once; it writes the trailer.
/// After an error the compressor is of no more use.
class Compressor : public Sink {
 public:
  virtual Status finish() = 0;
};
/// `sink` must outlive the compressor; from the first write to the end of finish() another thread
/// may write to it. Levels out of range are clamped (gzip 0-12, zstd 1-22); format.md says who
/// compresses at which.
std::unique_ptr<Compressor> make_compressor(CompressionSpec spec, Sink& sink);

/// Recognised by the first bytes: gzip, zstd, bzip2, xz or none. Several members or frames in a row
/// are one stream. Truncated or corrupt input is DataLoss. `compressed` must outlive the answer.
Result<std::unique_ptr<Source>> make_decompressor(Source& compressed);

}  // namespace mybuild::snapshotter

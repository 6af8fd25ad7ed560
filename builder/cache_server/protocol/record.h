// SPDX-License-Identifier: Apache-2.0
// StepRecord: this definition on inputs with these identities gave that layer (solver/key_schema.md
// says what the digests are). On the wire a record is a text, signed by the server with the key of
// the namespace that it was published to. PROTOCOL.md has the bytes. Value types.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/descriptor.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cache_server {

inline constexpr std::size_t kMaxRecordBytes = 64 << 10;
inline constexpr std::size_t kMaxInputs = 256;
inline constexpr std::size_t kMaxStepName = 1024;
inline constexpr std::uint64_t kMaxLayerBytes = std::uint64_t{1} << 40;
inline constexpr std::uint64_t kMaxCostMs = std::uint64_t{365} * 24 * 3600 * 1000;

struct StepRecord {
  Digest definition;
  Digest content;
  std::vector<Digest> inputs;  // output ids, or content digests of local contexts
  Digest output;
  Digest diff_id;
  Digest changes;          // the layer's change digest
  std::uint64_t size = 0;  // of its tree, in bytes
  oci::Descriptor blob;    // media type, digest and size; no more of it is sent
  Time created{};
  std::uint64_t cost_ms = 0;  // wall time of the step
  std::string step;           // as the build shows it, for people
  bool operator==(const StepRecord&) const = default;
};

/// One object in canonical JSON: equal records give equal bytes.
std::string dump(const StepRecord& record);
/// From anywhere: InvalidArgument says what is wrong with it.
Result<StepRecord> parse_step_record(std::string_view text);

struct SignedRecord {
  std::string space;      // the namespace that vouches for it
  std::string body;       // dump() of the record
  std::string signature;  // 64 bytes, over signed_text()
  bool operator==(const SignedRecord&) const = default;
};

/// What is signed: a domain that holds the version, the namespace and the body, each with its
/// length in front.
std::string signed_text(std::string_view space, std::string_view body);

}  // namespace mybuild::cache_server

// SPDX-License-Identifier: Apache-2.0
// CacheDocument: what an exported cache says: which layers there are, and which steps on which
// inputs gave them. It is the config of an OCI manifest whose layers are the layers (README.md), or
// a field of the config of an image that has them. Equal records give equal bytes. A value type.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/descriptor.h"
#include "solver/cache_index.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::remote_cache {

inline constexpr std::string_view kArtifactType = "application/vnd.mybuild.cache.v1";
inline constexpr std::string_view kConfigType = "application/vnd.mybuild.cache.v1+json";
/// The field of an image's config.
inline constexpr std::string_view kInlineField = "mybuild.cache.v1";
inline constexpr std::size_t kMaxDocumentBytes = 64 << 20;
inline constexpr std::size_t kMaxRecords = 100'000;

/// The blob of a layer that a document only names: its step need not run for what stands on it to
/// be found, but who needs its files has to run it.
oci::Descriptor no_blob(const Digest& diff_id);
bool is_no_blob(const oci::Descriptor& blob);

struct CachedLayer {
  /// Where it is: on its own (maybe nowhere: no_blob()), or as the layer of the image that the
  /// document is in.
  struct Place {
    Digest diff_id;
    oci::Descriptor blob;  // media type, digest and size
    bool operator==(const Place&) const = default;
  };
  std::optional<Place> place;
  std::uint64_t image_layer = 0;  // its number, lowest first, without a place
  Digest changes;
  std::uint64_t size = 0;
  Time created{};
  bool operator==(const CachedLayer&) const = default;
};

struct CachedRecord {
  solver::DefinitionKey definition;
  solver::ContentKey content;  // zero: not known
  std::vector<solver::OutputId> inputs;
  std::size_t layer = 0;  // index into the layers
  /// Where it is not the layer's: two steps of equal outcome did not run at the same moment.
  std::optional<Time> created{};
  bool operator==(const CachedRecord&) const = default;
};

struct CacheDocument {
  std::vector<CachedLayer> layers;
  std::vector<CachedRecord> records;
  bool operator==(const CacheDocument&) const = default;
};

std::string dump(const CacheDocument& document);
/// From anywhere: InvalidArgument says what is wrong with it, and nothing of it is used then.
Result<CacheDocument> parse_cache_document(std::string_view text);

/// The manifest that keeps the layers of a document, whose own descriptor is `config`.
std::string dump_manifest(const CacheDocument& document, const oci::Descriptor& config);

}  // namespace mybuild::remote_cache

// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/small_layers.h"

#include "builder/cache_server/protocol/messages.h"
#include "snapshotter/base/log.h"

#include <utility>

namespace mybuild::cache_client {

namespace {

/// For 4 MiB over a slow line.
constexpr std::chrono::seconds kTransfer{10};

/// As many as one answer holds.
std::vector<Digest> small_ones(const std::vector<oci::Descriptor>& blobs) {
  std::vector<Digest> small;
  std::size_t left = cache_server::kMaxBlobsBytes;
  for (const oci::Descriptor& blob : blobs) {
    const bool fits = blob.size <= cache_server::kMaxSmallBlob && blob.size <= left;
    if (fits && small.size() < cache_server::kMaxBlobs) {
      small.push_back(blob.digest);
      left -= static_cast<std::size_t>(blob.size);
    }
  }
  return small;
}

}  // namespace

void SmallLayers::fetch(const std::vector<oci::Descriptor>& blobs, const std::string& space,
                        const Cancel& cancel) {
  const std::vector<Digest> small = small_ones(blobs);
  if (small.size() < 2) {
    return;
  }
  const Result<std::string> answer =
      link_.post("blobs", space, cache_server::dump(cache_server::BlobsRequest{.blobs = small}),
                 ServerLink::Need::Step, cancel, kTransfer);
  if (answer) {
    keep(small, *answer);
  } else {
    log::debug("small layers of the cache server: {}", answer.error().message());
  }
}

void SmallLayers::keep(const std::vector<Digest>& asked, const std::string& answer) {
  const auto blobs = cache_server::parse_blobs_answer(answer, asked.size());
  if (!blobs) {
    log::debug("small layers of the cache server: {}", blobs.error().message());
    return;
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::optional<std::string_view>& bytes = (*blobs)[i];
    if (bytes && Digest::of(*bytes) == asked[i]) {
      fetched_.lock()->insert_or_assign(asked[i], std::string(*bytes));
    }
  }
}

std::optional<std::string> SmallLayers::take(const Digest& blob) {
  const auto fetched = fetched_.lock();
  const auto found = fetched->find(blob);
  if (found == fetched->end()) {
    return std::nullopt;
  }
  std::optional<std::string> bytes = std::move(found->second);
  fetched->erase(found);
  return bytes;
}

}  // namespace mybuild::cache_client

// SPDX-License-Identifier: Apache-2.0
// Records and keys that the suites of the cache server share.
#pragma once

#include "builder/cache_server/protocol/messages.h"
#include "snapshotter/oci/media_type.h"

#include <string>
#include <string_view>

namespace mybuild::cache_server {

inline Time at_second(std::int64_t second) {
  return Time(std::chrono::seconds(second));
}

/// A step called `step` that gave the layer called `layer`.
inline StepRecord sample_record(const std::string& step = "step",
                                const std::string& layer = "layer") {
  return {.definition = Digest::of("definition of " + step),
          .content = Digest::of("content of " + step),
          .inputs = {Digest::of("input of " + step)},
          .output = Digest::of("output of " + layer),
          .diff_id = Digest::of("diff of " + layer),
          .changes = Digest::of("changes of " + layer),
          .size = 42,
          .blob = {.media_type = std::string(oci::kMediaTypeLayerZstd),
                   .digest = Digest::of("blob of " + layer),
                   .size = 10,
                   .platform = std::nullopt,
                   .annotations = {}},
          .created = at_second(1'700'000'000),
          .cost_ms = 1'500,
          .step = "RUN " + step};
}

}  // namespace mybuild::cache_server

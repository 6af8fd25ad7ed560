// SPDX-License-Identifier: Apache-2.0
// BasePrefetch: base images that an output needs whatever the steps do are fetched from the moment
// they are known, beside the steps. What goes wrong is said by whoever asks for them later.
// Thread-safe.
#pragma once

#include "builder/ops/result.h"
#include "builder/source/image_resolver.h"
#include "snapshotter/base/lanes.h"

#include <condition_variable>
#include <mutex>
#include <set>

namespace mybuild::ops {

class BasePrefetch {
 public:
  enum class Part { Trees, Blobs };

  /// Of each of `bases` all `parts`. The others outlive the object.
  BasePrefetch(source::ImageResolver& images, Lanes& lanes, std::set<solver::VertexId> bases,
               std::set<Part> parts)
      : images_(images), lanes_(lanes), bases_(std::move(bases)), parts_(std::move(parts)) {}
  BasePrefetch(const BasePrefetch&) = delete;
  BasePrefetch& operator=(const BasePrefetch&) = delete;
  /// Waits for what runs; downloads end with the resolver's Cancel.
  ~BasePrefetch();

  /// Returns at once.
  void begin(const BaseImage& base);

 private:
  source::ImageResolver& images_;
  Lanes& lanes_;
  const std::set<solver::VertexId> bases_;
  const std::set<Part> parts_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
};

}  // namespace mybuild::ops

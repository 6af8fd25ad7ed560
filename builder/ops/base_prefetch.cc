// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/base_prefetch.h"

namespace mybuild::ops {

BasePrefetch::~BasePrefetch() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return running_ == 0; });
}

void BasePrefetch::begin(const BaseImage& base) {
  if (!bases_.contains(base.vertex)) {
    return;
  }
  for (const Part part : parts_) {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    lanes_.post(Lane::Net, [this, id = base.id, vertex = base.vertex, part] {
      (void)(part == Part::Trees ? images_.fetch_trees(id, vertex)
                                 : images_.fetch_blobs(id, vertex));
      const std::lock_guard lock(mutex_);
      --running_;
      idle_.notify_all();
    });
  }
}

}  // namespace mybuild::ops

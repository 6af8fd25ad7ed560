// SPDX-License-Identifier: Apache-2.0
// Compressor states are about a megabyte each: as many as blocks run at once are made, and kept.
// Internal to archive/. Thread-safe.
#pragma once

#include "snapshotter/base/guarded.h"

#include <functional>
#include <memory>
#include <vector>

namespace mybuild::snapshotter {

template <class T, class Delete = std::default_delete<T>>
class StatePool {
 public:
  using Handle = std::unique_ptr<T, Delete>;
  explicit StatePool(std::function<Handle()> make) : make_(std::move(make)) {}

  Handle take() {
    {
      const auto idle = idle_.lock();
      if (!idle->empty()) {
        Handle handle = std::move(idle->back());
        idle->pop_back();
        return handle;
      }
    }
    return make_();
  }
  void give_back(Handle handle) { idle_.lock()->push_back(std::move(handle)); }

 private:
  std::function<Handle()> make_;
  Guarded<std::vector<Handle>> idle_;
};

}  // namespace mybuild::snapshotter

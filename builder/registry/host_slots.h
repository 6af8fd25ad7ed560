// SPDX-License-Identifier: Apache-2.0
// HostSlots: how many blobs go to or come from one host at a time. A registry that serves many
// clients answers the one that opens sixteen connections with 429. Inside builder/registry.
// Thread-safe; a Slot is one transfer's.
#pragma once

#include "snapshotter/base/cancel.h"
#include "snapshotter/base/fd.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/result.h"

#include <map>
#include <memory>
#include <string>

namespace mybuild::registry {

class HostSlots {
 public:
  explicit HostSlots(unsigned per_host) : per_host_(per_host) {}

  /// Given back when it goes.
  class Slot {
   public:
    explicit Slot(std::shared_ptr<const Fd> host) : host_(std::move(host)) {}
    Slot(Slot&&) = default;
    Slot& operator=(Slot&&) = delete;
    ~Slot();

   private:
    std::shared_ptr<const Fd> host_;
  };

  /// Waits for one of the host's; what holds one waits for the host alone, so it comes free.
  Result<Slot> take(const std::string& origin, const Cancel& cancel);

 private:
  Result<std::shared_ptr<const Fd>> host(const std::string& origin);

  const unsigned per_host_;
  Guarded<std::map<std::string, std::shared_ptr<const Fd>>> hosts_;  // semaphores, eventfd(2)
};

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
// AdminApi: /admin/v1/…: tokens, namespaces and pins, for tokens with the scope admin. Who has it
// in a namespace rules that one and those below it, and gives nobody more than he has. PROTOCOL.md
// has the bytes. Thread-safe.
#pragma once

#include "builder/cache_server/exchange.h"
#include "builder/cache_server/store/meta_store.h"
#include "snapshotter/base/clock.h"

namespace mybuild::cache_server {

class AdminApi final : public Handler {
 public:
  /// Both outlive it.
  AdminApi(MetaStore& meta, const Clock& clock) : meta_(meta), clock_(clock) {}
  std::unique_ptr<Exchange> begin(Request request) override;

 private:
  MetaStore& meta_;
  const Clock& clock_;
};

}  // namespace mybuild::cache_server

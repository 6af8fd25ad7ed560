// SPDX-License-Identifier: Apache-2.0
// What every MetaStore must do, a suite for each set of tables. A driver's test instantiates them
// with places for its data, as what was acknowledged must be there after it was closed.
#pragma once

#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/meta_store.h"
#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/base/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mybuild::cache_server {

struct MetaStoreCase {
  std::string name;
  /// A new place each time. The function it gives opens the store there, as often as one likes.
  std::function<std::function<std::unique_ptr<MetaStore>()>()> make;
};

class MetaStoreContract : public ::testing::TestWithParam<MetaStoreCase> {
 protected:
  void reopen() {
    store_.reset();
    store_ = open_();
  }

  const std::function<std::unique_ptr<MetaStore>()> open_ = GetParam().make();
  std::unique_ptr<MetaStore> store_ = open_();
  const Time now_{std::chrono::seconds(1'800'000'000)};
};

class AccessTablesContract : public MetaStoreContract {};
class RepositoryTablesContract : public MetaStoreContract {
 protected:
  RepositoryTables& tables() { return store_->repositories(); }
  void link(const Digest& blob, std::uint64_t size = 100, const std::string& space = "main");
  /// With its own bytes linked, which comes first in life, too.
  Status put(const ManifestRow& row, const std::string& tag = "");
  /// What unlink_unused() gives.
  std::vector<Digest> unlink(Time before, std::uint64_t enough = ~std::uint64_t{0});
  std::vector<std::string> tags(const std::string& last = "", std::size_t limit = 100);
};

}  // namespace mybuild::cache_server

// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/local_blob_store.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/contract/blob_store_suite.h"
#include "tests/contract/meta_store_suite.h"
#include "tests/support/memory_blob_store.h"

namespace mybuild::cache_server {
namespace {

/// Places below a directory that goes with the tests.
std::function<std::string()> new_places() {
  const auto directory = std::make_shared<TempDir>(TempDir::create().value());
  return [directory] {
    static int counter = 0;
    return directory->path() + "/" + std::to_string(counter++);
  };
}

BlobStoreCase local_case() {
  return {"Local", [place = new_places()] { return open_local_blob_store(place()).value(); }};
}

MetaStoreCase sqlite_case() {
  return {"Sqlite", [place = new_places()]() -> std::function<std::unique_ptr<MetaStore>()> {
            return [path = place()] { return open_sqlite_meta_store(path).value(); };
          }};
}

constexpr auto kName = [](const auto& tested) { return tested.param.name; };

INSTANTIATE_TEST_SUITE_P(Stores, BlobStoreContract,
                         ::testing::Values(local_case(),
                                           BlobStoreCase{"Memory", make_memory_blob_store}),
                         kName);
INSTANTIATE_TEST_SUITE_P(Stores, AccessTablesContract, ::testing::Values(sqlite_case()), kName);
INSTANTIATE_TEST_SUITE_P(Stores, RepositoryTablesContract, ::testing::Values(sqlite_case()), kName);

}  // namespace
}  // namespace mybuild::cache_server

// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "tests/contract/record_tables_suite.h"

namespace mybuild::cache_server {
namespace {

MetaStoreCase sqlite_case() {
  const auto directory = std::make_shared<TempDir>(TempDir::create().value());
  return {"Sqlite", [directory] {
            static int counter = 0;
            const std::string path = directory->path() + "/" + std::to_string(counter++) + ".db";
            return [path] { return open_sqlite_meta_store(path).value(); };
          }};
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordTablesContract, ::testing::Values(sqlite_case()),
                         [](const auto& tested) { return tested.param.name; });
INSTANTIATE_TEST_SUITE_P(Stores, RecordEvictionContract, ::testing::Values(sqlite_case()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mybuild::cache_server

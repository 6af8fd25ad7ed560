// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/file.h"
#include "snapshotter/content/local_store.h"
#include "tests/contract/content_store_suite.h"
#include "tests/support/memory_content_store.h"

namespace mybuild::snapshotter {
namespace {

/// A local store whose directory goes with the test.
ContentStoreCase local_case() {
  const auto directory = std::make_shared<TempDir>(TempDir::create().value());
  return {"Local", [directory] {
            static int counter = 0;
            return make_local_content_store(directory->path() + "/" + std::to_string(counter++))
                .value();
          }};
}

INSTANTIATE_TEST_SUITE_P(Stores, ContentStoreContract,
                         ::testing::Values(local_case(),
                                           ContentStoreCase{"Memory", make_memory_content_store}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mybuild::snapshotter

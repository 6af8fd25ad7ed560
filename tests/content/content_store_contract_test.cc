// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/file.h"
#include "snapshotter/content/local_store.h"
#include "tests/contract/content_store_suite.h"
#include "tests/support/memory_content_store.h"

namespace mybuild::snapshotter {
namespace {

/// A local store whose directory goes with the test.
ContentStoreCase local_case(const std::string& name, ContentUsers users) {
  const auto directory = std::make_shared<TempDir>(TempDir::create().value());
  return {name, [directory, users] {
            static int counter = 0;
            const std::string path = directory->path() + "/" + std::to_string(counter++);
            return make_local_content_store(path, users).value();
          }};
}

INSTANTIATE_TEST_SUITE_P(Stores, ContentStoreContract,
                         ::testing::Values(local_case("Local", ContentUsers::Many),
                                           local_case("LocalAlone", ContentUsers::One),
                                           ContentStoreCase{"Memory", make_memory_content_store}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mybuild::snapshotter

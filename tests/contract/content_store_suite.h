// SPDX-License-Identifier: Apache-2.0
// What every ContentStore must do. A driver's test instantiates the suite with a factory.
#pragma once

#include "snapshotter/content/content_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace mybuild::snapshotter {

struct ContentStoreCase {
  std::string name;
  std::function<std::unique_ptr<ContentStore>()> make;  // empty; cleans up after itself
};

class ContentStoreContract : public ::testing::TestWithParam<ContentStoreCase> {
 protected:
  std::unique_ptr<ContentStore> store_ = GetParam().make();
};

}  // namespace mybuild::snapshotter

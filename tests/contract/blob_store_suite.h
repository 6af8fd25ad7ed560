// SPDX-License-Identifier: Apache-2.0
// What every BlobStore must do. A driver's test instantiates the suite with a factory.
#pragma once

#include "builder/cache_server/store/blob_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace mybuild::cache_server {

struct BlobStoreCase {
  std::string name;
  std::function<std::unique_ptr<BlobStore>()> make;  // empty; cleans up after itself
};

class BlobStoreContract : public ::testing::TestWithParam<BlobStoreCase> {
 protected:
  Status put(std::string_view bytes);
  std::string read(const Digest& digest);
  std::vector<std::string> walk_names();

  std::unique_ptr<BlobStore> store_ = GetParam().make();
};

}  // namespace mybuild::cache_server

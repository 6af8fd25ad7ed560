// SPDX-License-Identifier: Apache-2.0
#include "builder/usage.h"

#include <gtest/gtest.h>

namespace mybuild::builder {
namespace {

const Digest kBase = Digest::of("base");
const Digest kOwn = Digest::of("own");

StoreUsage usage() {
  std::vector<ImageContents> images(2);
  images[0].image.containers = 1;
  images[0].diff_ids = {kBase};
  images[1].diff_ids = {kBase, kOwn, kOwn};
  oci::Descriptor blob;
  blob.digest = Digest::of("blob");
  blob.size = 400;
  return summarise(images,
                   {{.diff_id = kBase, .changes = {}, .size = 1000, .created = 1},
                    {.diff_id = kOwn, .changes = {}, .size = 10, .created = 2},
                    {.diff_id = Digest::of("old"), .changes = {}, .size = 5, .created = 3}},
                   {{.diff_id = kBase, .format = "original", .blob = blob},
                    {.diff_id = kBase, .format = "gzip:v1", .blob = blob}});
}

TEST(Usage, ALayerOfTwoImagesIsSharedAndCountedOnce) {
  const StoreUsage sum = usage();
  EXPECT_EQ(sum.images[0].shared, 1000U);
  EXPECT_EQ(sum.images[0].unique(), 0U);
  EXPECT_EQ(sum.images[1].shared, 1000U);
  EXPECT_EQ(sum.images[1].unique(), 10U) << "a layer that stands twice in one image is one";
}

TEST(Usage, WhatNoImageHasIsListedToo) {
  const StoreUsage sum = usage();
  ASSERT_EQ(sum.layers.size(), 3U);
  EXPECT_EQ(sum.layers[2].images, 0U);
}

TEST(Usage, WhatContainersRunFromIsInUse) {
  EXPECT_EQ(usage().used_bytes, 1000U);
}

TEST(Usage, OneBlobUnderTwoFormatsIsOneBlob) {
  const StoreUsage sum = usage();
  EXPECT_EQ(sum.layers[0].blob_size, 400U);
}

TEST(Usage, ALayerThatTheStoreDoesNotKnowCountsNothing) {
  std::vector<ImageContents> images(1);
  images[0].diff_ids = {kBase};
  const StoreUsage sum = summarise(images, {}, {});
  EXPECT_EQ(sum.images[0].size, 0U);
  EXPECT_EQ(sum.layers.size(), 1U);
}

}  // namespace
}  // namespace mybuild::builder

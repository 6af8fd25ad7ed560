// SPDX-License-Identifier: Apache-2.0
// BlobDrafts: the tar of a layer on its way to blobs, one for each compressed form that is wanted.
// Thread-compatible.
#pragma once

#include "snapshotter/archive/codec.h"
#include "snapshotter/content/content_store.h"
#include "snapshotter/growing_blob.h"
#include "snapshotter/oci/descriptor.h"

#include <memory>
#include <span>
#include <vector>

namespace mybuild::snapshotter {

class BlobDrafts final : public Sink {
 public:
  /// Of no form: nobody wants what is written.
  BlobDrafts();
  /// `content` and what `on_draft` uses outlive the drafts. It hears of those that get large
  /// enough to be worth reading before they are whole; these end with commit(), or with the object.
  static Result<BlobDrafts> begin(ContentStore& content, std::span<const CompressionSpec> forms,
                                  const OnDraft& on_draft = {});
  BlobDrafts(BlobDrafts&&) noexcept;
  BlobDrafts& operator=(BlobDrafts&&) = delete;
  ~BlobDrafts() override;

  Status write(ByteSpan tar) override;
  /// Writes what is left; nothing has a name yet.
  Status finish();
  /// Once, after finish(): blobs of the store, in the order of the forms.
  Result<std::vector<oci::Descriptor>> commit() &&;

 private:
  class Shown;
  struct Draft;
  std::vector<Draft> drafts_;
};

}  // namespace mybuild::snapshotter

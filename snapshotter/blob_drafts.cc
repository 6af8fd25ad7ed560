// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/blob_drafts.h"

#include <utility>

namespace mybuild::snapshotter {

struct BlobDrafts::Draft {
  oci::Compression compression;
  std::unique_ptr<Ingest> ingest;
  std::unique_ptr<Compressor> compressor;  // writes to `ingest`, so it goes first
};

BlobDrafts::BlobDrafts() = default;
BlobDrafts::BlobDrafts(BlobDrafts&&) noexcept = default;
BlobDrafts::~BlobDrafts() = default;

Result<BlobDrafts> BlobDrafts::begin(ContentStore& content,
                                     std::span<const CompressionSpec> forms) {
  BlobDrafts drafts;
  for (const CompressionSpec& form : forms) {
    std::unique_ptr<Ingest> ingest = TRY(content.begin({}));
    std::unique_ptr<Compressor> compressor = make_compressor(form, *ingest);
    drafts.drafts_.push_back({.compression = form.compression,
                              .ingest = std::move(ingest),
                              .compressor = std::move(compressor)});
  }
  return drafts;
}

Status BlobDrafts::write(ByteSpan tar) {
  for (const Draft& draft : drafts_) {
    TRY(draft.compressor->write(tar));
  }
  return {};
}

Status BlobDrafts::finish() {
  for (const Draft& draft : drafts_) {
    TRY(draft.compressor->finish());
  }
  return {};
}

Result<std::vector<oci::Descriptor>> BlobDrafts::commit() && {
  std::vector<oci::Descriptor> blobs;
  for (Draft& draft : drafts_) {
    const BlobInfo info = TRY(std::move(*draft.ingest).commit());
    oci::Descriptor blob;
    blob.media_type = oci::layer_media_type(draft.compression);
    blob.digest = info.digest;
    blob.size = info.size;
    blobs.push_back(std::move(blob));
  }
  return blobs;
}

}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/blob_drafts.h"

#include <utility>

namespace mybuild::snapshotter {

namespace {

/// A smaller blob is whole before anybody could do something with its beginning.
constexpr std::uint64_t kWorthShowing = 4 << 20;

}  // namespace

/// A draft, and who reads along.
class BlobDrafts::Shown final : public Sink {
 public:
  Shown(std::unique_ptr<Ingest> ingest, const CompressionSpec& form, OnDraft on_draft)
      : ingest_(std::move(ingest)), form_(form), on_draft_(std::move(on_draft)) {}
  ~Shown() override {
    if (growing_) {
      growing_->end(make_error(ErrorKind::Cancelled, "the blob was not finished"));
    }
  }

  Status write(ByteSpan bytes) override {
    TRY(ingest_->write(bytes));
    size_ += bytes.size();
    if (growing_) {
      growing_->advance(bytes.size());
    } else if (on_draft_ && size_ >= kWorthShowing) {
      show();
    }
    return {};
  }

  Result<oci::Descriptor> commit() {
    const BlobInfo info = TRY(std::move(*ingest_).commit());
    oci::Descriptor blob;
    blob.media_type = oci::layer_media_type(form_.compression);
    blob.digest = info.digest;
    blob.size = info.size;
    if (growing_) {
      growing_->end(blob);
    }
    return blob;
  }

 private:
  /// Nobody depends on it: where the draft cannot be opened once more, the blob is seen when whole.
  void show() {
    Result<Fd> reader = ingest_->reader();
    if (!reader) {
      on_draft_ = {};
      return;
    }
    growing_ = std::make_shared<GrowingBlob>();
    growing_->begin(std::move(reader).value());
    growing_->advance(size_);
    on_draft_(form_, growing_);
  }

  const std::unique_ptr<Ingest> ingest_;
  const CompressionSpec form_;
  OnDraft on_draft_;
  std::uint64_t size_ = 0;
  std::shared_ptr<GrowingBlob> growing_;
};

struct BlobDrafts::Draft {
  std::unique_ptr<Shown> shown;
  std::unique_ptr<Compressor> compressor;  // writes to `shown`, so it goes first
};

BlobDrafts::BlobDrafts() = default;
BlobDrafts::BlobDrafts(BlobDrafts&&) noexcept = default;
BlobDrafts::~BlobDrafts() = default;

Result<BlobDrafts> BlobDrafts::begin(ContentStore& content, std::span<const CompressionSpec> forms,
                                     const OnDraft& on_draft) {
  BlobDrafts drafts;
  for (const CompressionSpec& form : forms) {
    auto shown = std::make_unique<Shown>(TRY(content.begin({})), form, on_draft);
    std::unique_ptr<Compressor> compressor = make_compressor(form, *shown);
    drafts.drafts_.push_back({.shown = std::move(shown), .compressor = std::move(compressor)});
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
  for (const Draft& draft : drafts_) {
    blobs.push_back(TRY(draft.shown->commit()));
  }
  return blobs;
}

}  // namespace mybuild::snapshotter

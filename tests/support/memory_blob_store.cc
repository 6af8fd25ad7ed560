// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_blob_store.h"

#include "snapshotter/base/guarded.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

namespace mybuild::cache_server {

namespace {

using Blob = std::shared_ptr<const std::string>;
using Blobs = Guarded<std::map<Digest, Blob>>;

class MemoryBlobReader final : public BlobReader {
 public:
  explicit MemoryBlobReader(Blob blob) : blob_(std::move(blob)) {}
  std::uint64_t size() const override { return blob_->size(); }
  Result<std::size_t> read(std::uint64_t offset, MutableByteSpan buffer) override {
    const std::size_t begin = std::min<std::size_t>(offset, blob_->size());
    const std::size_t count = std::min(buffer.size(), blob_->size() - begin);
    std::memcpy(buffer.data(), blob_->data() + begin, count);
    return count;
  }

 private:
  Blob blob_;
};

class MemoryBlobWriter final : public BlobWriter {
 public:
  explicit MemoryBlobWriter(std::shared_ptr<Blobs> blobs) : blobs_(std::move(blobs)) {}
  Status write(ByteSpan bytes) override {
    text_.append(as_text(bytes));
    return {};
  }
  std::uint64_t size() const override { return text_.size(); }
  Status commit(const Digest& digest) && override {
    if (Digest::of(text_) != digest) {
      return invalid_argument("expected {}, got {}", digest.str(), Digest::of(text_).str());
    }
    blobs_->lock()->insert_or_assign(digest, std::make_shared<const std::string>(text_));
    return {};
  }

 private:
  std::shared_ptr<Blobs> blobs_;
  std::string text_;
};

class MemoryBlobStore final : public BlobStore {
 public:
  Result<std::unique_ptr<BlobWriter>> begin() override {
    return std::unique_ptr<BlobWriter>(std::make_unique<MemoryBlobWriter>(blobs_));
  }
  Result<std::optional<std::uint64_t>> size(const Digest& digest) override {
    const Blob blob = find(digest);
    return blob ? std::optional<std::uint64_t>(blob->size()) : std::nullopt;
  }
  Result<std::unique_ptr<BlobReader>> open(const Digest& digest) override {
    Blob blob = find(digest);
    if (!blob) {
      return not_found("blob {} is not in the store", digest.str());
    }
    return std::unique_ptr<BlobReader>(std::make_unique<MemoryBlobReader>(std::move(blob)));
  }
  Status remove(const Digest& digest) override {
    blobs_->lock()->erase(digest);
    return {};
  }
  Status walk(
      const std::function<Status(const Digest& digest, std::uint64_t size)>& visit) override {
    const std::map<Digest, Blob> copy = [this] {  // visitors may call us
      const auto blobs = blobs_->lock();
      return *blobs;
    }();
    for (const auto& [digest, blob] : copy) {
      TRY(visit(digest, blob->size()));
    }
    return {};
  }

 private:
  Blob find(const Digest& digest) {
    const auto blobs = blobs_->lock();
    const auto found = blobs->find(digest);
    return found == blobs->end() ? nullptr : found->second;
  }

  std::shared_ptr<Blobs> blobs_ = std::make_shared<Blobs>();
};

}  // namespace

std::unique_ptr<BlobStore> make_memory_blob_store() {
  return std::make_unique<MemoryBlobStore>();
}

}  // namespace mybuild::cache_server

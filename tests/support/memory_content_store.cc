// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_content_store.h"

#include "snapshotter/base/guarded.h"
#include "snapshotter/base/sys.h"

#include <map>

namespace mybuild::snapshotter {

namespace {

using Blobs = Guarded<std::map<Digest, std::string>>;

class MemoryIngest final : public Ingest {
 public:
  MemoryIngest(std::shared_ptr<Blobs> blobs, Expected expected)
      : blobs_(std::move(blobs)), expected_(expected) {}

  Status write(ByteSpan bytes) override {
    text_.append(as_text(bytes));
    if (expected_.size && text_.size() > *expected_.size) {
      return data_loss("more than the expected {} bytes", *expected_.size);
    }
    return mirror_ ? sys::write_all(mirror_.get(), bytes) : Status();
  }
  Result<Fd> reader() override {
    mirror_ = TRY(sys::memfd("draft"));
    TRY(sys::write_all(mirror_.get(), as_bytes(text_)));
    return sys::dup(mirror_.get());
  }
  void expect(const Digest& digest) override { expected_.digest = digest; }
  Result<BlobInfo> commit() && override {
    const BlobInfo info{Digest::of(text_), text_.size()};
    if (expected_.size.value_or(info.size) != info.size ||
        expected_.digest.value_or(info.digest) != info.digest) {
      return data_loss("not the expected bytes");
    }
    blobs_->lock()->emplace(info.digest, std::move(text_));
    return info;
  }

 private:
  std::shared_ptr<Blobs> blobs_;
  Expected expected_;
  std::string text_;
  Fd mirror_;  // of text_, when somebody reads along
};

class MemoryContentStore final : public ContentStore {
 public:
  Result<Fd> open(const Digest& digest) override {
    const auto blobs = blobs_->lock();
    const auto found = blobs->find(digest);
    if (found == blobs->end()) {
      return not_found("blob {}", digest.str());
    }
    const Fd file = TRY(sys::memfd("blob"));
    TRY(sys::write_all(file.get(), as_bytes(found->second)));
    return sys::open(sys::proc_fd_path(file.get()), O_RDONLY);
  }
  Result<std::unique_ptr<Ingest>> begin(Expected expected) override {
    return std::unique_ptr<Ingest>(std::make_unique<MemoryIngest>(blobs_, expected));
  }
  Result<std::optional<BlobInfo>> stat(const Digest& digest) override {
    const auto blobs = blobs_->lock();
    const auto found = blobs->find(digest);
    if (found == blobs->end()) {
      return std::optional<BlobInfo>();
    }
    return std::optional(BlobInfo{digest, found->second.size(), 0});
  }
  Status remove(const Digest& digest) override {
    blobs_->lock()->erase(digest);
    return {};
  }
  Result<bool> remove_unused(const Digest& digest) override {
    TRY(remove(digest));
    return true;
  }
  Result<bool> verify(const Digest&) override { return true; }
  std::size_t damage_found() const override { return 0; }
  Status walk(const std::function<Status(const BlobInfo&)>& visit) override {
    const std::map<Digest, std::string> copy = [this] {  // visitors may call us
      const auto blobs = blobs_->lock();
      return *blobs;
    }();
    for (const auto& [digest, bytes] : copy) {
      TRY(visit({digest, bytes.size(), 0}));
    }
    return {};
  }

 private:
  std::shared_ptr<Blobs> blobs_ = std::make_shared<Blobs>();
};

}  // namespace

std::unique_ptr<ContentStore> make_memory_content_store() {
  return std::make_unique<MemoryContentStore>();
}

}  // namespace mybuild::snapshotter

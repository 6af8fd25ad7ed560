// SPDX-License-Identifier: Apache-2.0
#include "builder/source/verified_source.h"

namespace mybuild::source {

namespace {

class VerifiedSource final : public Source {
 public:
  VerifiedSource(std::unique_ptr<Source> source, const Digest& expected)
      : source_(std::move(source)), expected_(expected) {}

  Result<std::size_t> read(MutableByteSpan buffer) override {
    if (ended_ || buffer.empty()) {
      return std::size_t{0};
    }
    const std::size_t count = TRY(source_->read(buffer));
    if (count > 0) {
      hasher_.update(buffer.first(count));
      return count;
    }
    ended_ = true;
    if (const Digest actual = hasher_.finish(); actual != expected_) {
      return data_loss("the blob {} holds bytes with digest {}", expected_.str(), actual.str());
    }
    return count;
  }

 private:
  std::unique_ptr<Source> source_;
  Digest expected_;
  Hasher hasher_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Source> make_verified_source(std::unique_ptr<Source> source,
                                             const Digest& expected) {
  return std::make_unique<VerifiedSource>(std::move(source), expected);
}

}  // namespace mybuild::source

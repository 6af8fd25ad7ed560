// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace mybuild::snapshotter {
namespace {

std::string noise(std::size_t size) {
  std::mt19937 dice(static_cast<unsigned>(size));
  std::string text(size, '\0');
  for (char& c : text) {
    c = static_cast<char>(dice());
  }
  return text;
}

/// Gives its text in pieces of odd sizes, then an error or the end.
class OddSource final : public Source {
 public:
  explicit OddSource(std::string text, bool breaks = false)
      : text_(std::move(text)), breaks_(breaks) {}

  Result<std::size_t> read(MutableByteSpan buffer) override {
    ++reads_;
    const ByteSpan left = as_bytes(text_).subspan(offset_);
    if (left.empty() && breaks_) {
      return data_loss("the line broke");
    }
    const std::size_t count = std::min({left.size(), buffer.size(), 1 + dice_() % 100'000});
    std::copy_n(left.begin(), count, buffer.begin());
    offset_ += count;
    return count;
  }
  int reads() const { return reads_; }

 private:
  const std::string text_;
  const bool breaks_;
  std::size_t offset_ = 0;
  std::atomic<int> reads_ = 0;
  std::mt19937 dice_{5};
};

TEST(ReadAhead, GivesWhatTheSourceHasAndItsDigest) {
  for (const std::size_t size :
       {0UL, 1UL, 1'000'000UL, 1UL << 20U, (1UL << 20U) + 1, 9'999'999UL}) {
    const std::string text = noise(size);
    for (const auto reader : {ReadAhead::Reader::Thread, ReadAhead::Reader::Caller}) {
      OddSource source(text);
      ReadAhead ahead(source, reader);
      EXPECT_TRUE(read_all(ahead, size).value() == text) << size << " bytes";
      EXPECT_EQ(ahead.finish(), Digest::of(text)) << size << " bytes";
    }
  }
}

TEST(ReadAhead, AnErrorComesAfterTheBytesBeforeIt) {
  for (const std::size_t size : {10UL, 3'000'000UL}) {
    OddSource source(noise(size), true);
    ReadAhead ahead(source);
    std::size_t got = 0;
    std::vector<std::byte> buffer(10'000);
    for (;;) {
      const Result<std::size_t> count = ahead.read(buffer);
      if (!count) {
        EXPECT_EQ(count.error().message(), "the line broke");
        break;
      }
      got += *count;
    }
    EXPECT_EQ(got, size);
    EXPECT_FALSE(ahead.read(buffer)) << "it stays broken";
  }
}

TEST(ReadAhead, DoesNotRunFarAheadAndMayBeLeftInTheMiddle) {
  OddSource source(noise(20 << 20U));
  {
    ReadAhead ahead(source);
    std::vector<std::byte> buffer(64 * 1024);
    for (std::size_t got = 0; got < 2 << 20U;) {
      got += ahead.read(buffer).value();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_LT(source.reads(), 100) << "of some 400 that it takes to the end";
}

}  // namespace
}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/codec.h"

#include "snapshotter/archive/deflate_blocks.h"
#include "snapshotter/base/cpu.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/file.h"
#include "tests/support/run_tool.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <algorithm>
#include <random>

namespace mybuild::snapshotter {
namespace {

using oci::Compression;

/// Text of a small vocabulary with stretches of noise and of zeros: all three kinds of deflate
/// blocks occur.
std::string sample(std::size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  static const std::vector<std::string> kWords = {"layer",    "digest",    " ",   "\n",
                                                  "snapshot", "/usr/lib/", "0123"};
  std::string text;
  while (text.size() < size) {
    switch (random() % 1000) {
      case 0:
        text.append(random() % 300'000, '\0');
        break;
      case 1:
        for (std::size_t i = random() % 200'000; i > 0; --i) {
          text.push_back(static_cast<char>(random()));
        }
        break;
      default:
        text.append(kWords[random() % kWords.size()]).append(std::to_string(random() % 50));
    }
  }
  text.resize(size);
  return text;
}

std::string compress(std::string_view text, CompressionSpec spec, std::size_t step = 100'003) {
  StringSink sink;
  const auto compressor = make_compressor(spec, sink);
  for (std::size_t at = 0; at < text.size(); at += step) {
    EXPECT_TRUE(compressor->write(as_bytes(text.substr(at, step))));
  }
  EXPECT_TRUE(compressor->finish());
  return sink.text;
}

/// Gives its bytes in small pieces, to find decoders that cannot stop anywhere.
class SlowSource final : public Source {
 public:
  SlowSource(std::string_view text, std::size_t step) : inner_(text), step_(step) {}
  Result<std::size_t> read(MutableByteSpan buffer) override {
    return inner_.read(buffer.first(std::min(buffer.size(), step_)));
  }

 private:
  StringSource inner_;
  std::size_t step_;
};

Result<std::string> decompress(std::string_view bytes, std::size_t step = 1 << 20) {
  SlowSource source(bytes, step);
  const auto plain = TRY(make_decompressor(source));
  return read_all(*plain, std::size_t{1} << 28U);
}

const std::vector<CompressionSpec> kSpecs = {
    {Compression::Gzip, {}}, {Compression::Gzip, 4},  {Compression::Gzip, 12},
    {Compression::Gzip, 0},  {Compression::Zstd, {}}, {Compression::Zstd, 1},
    {Compression::Zstd, 9},  {Compression::None, {}},
};

TEST(Codec, GivesBackWhatWentIn) {
  for (const CompressionSpec& spec : kSpecs) {
    for (const std::size_t size : {0UL, 1UL, 511UL, 1UL << 20, (1UL << 20) + 1, 9'000'001UL}) {
      const std::string text = sample(size);
      const Result<std::string> back = decompress(compress(text, spec));
      ASSERT_TRUE(back) << back.error().message();
      ASSERT_TRUE(*back == text) << size;
    }
  }
}

TEST(Codec, BytesDependNeitherOnCoresNorOnHowTheyCameIn) {
  const std::string text = sample(20'000'000);
  for (const CompressionSpec& spec : kSpecs) {
    if (spec.level == 12) {
      continue;  // slow, and the same code
    }
    const std::string usual = compress(text, spec);
    const cpu::Limit one_core(1);
    EXPECT_TRUE(compress(text, spec, 4096) == usual);
    EXPECT_TRUE(compress(text, spec, text.size()) == usual);
  }
}

TEST(Codec, OtherToolsReadIt) {
  const auto directory = TempDir::create();
  const std::string text = sample(5'000'000, 3);
  const std::string gz = directory->path() + "/x.gz";
  ASSERT_TRUE(write_file(gz, compress(text, {})));
  EXPECT_TRUE(output_of({"gzip", "-dc", gz}) == text);
  // A reader that stops after the first gzip member must see it all, as some do (Rust's GzDecoder).
  EXPECT_TRUE(output_of({"python3", "-c",
                         "import sys,zlib\n"
                         "d=zlib.decompressobj(31)\n"
                         "b=d.decompress(open(sys.argv[1],'rb').read())\n"
                         "assert d.eof and not d.unused_data\n"
                         "sys.stdout.buffer.write(b)",
                         gz}) == text);
  const std::string zst = directory->path() + "/x.zst";
  ASSERT_TRUE(write_file(zst, compress(text, {Compression::Zstd, {}})));
  if (!have_program("zstd")) {
    GTEST_SKIP() << "no zstd program";
  }
  EXPECT_TRUE(output_of({"zstd", "-dcq", zst}) == text);
}

TEST(Codec, ReadsMembersAndFramesInARowAtAnyPieceSize) {
  const std::string text = sample(30'000, 5);
  for (const CompressionSpec& spec :
       {CompressionSpec{Compression::Gzip, {}}, CompressionSpec{Compression::Zstd, {}}}) {
    const std::string one = compress(text, spec);
    const std::string empty = compress("", spec);
    const std::string many = one + empty + one + compress("tail", spec) + empty;
    for (const std::size_t step : {1UL, 2UL, 3UL, 7UL, 100UL, 4096UL, many.size()}) {
      const Result<std::string> back = decompress(many, step);
      ASSERT_TRUE(back) << step << ": " << back.error().message();
      ASSERT_TRUE(*back == text + text + "tail") << step;
    }
  }
}

TEST(Codec, TruncationAnywhereIsDataLoss) {
  const std::string text = sample(3000, 2);
  for (const CompressionSpec& spec :
       {CompressionSpec{Compression::Gzip, {}}, CompressionSpec{Compression::Zstd, {}}}) {
    const std::string whole = compress(text, spec);
    for (std::size_t size = 4; size < whole.size(); ++size) {
      const Result<std::string> back = decompress(whole.substr(0, size));
      ASSERT_FALSE(back) << size << " of " << whole.size();
      ASSERT_EQ(back.error().kind(), ErrorKind::DataLoss);
    }
  }
}

TEST(Codec, DamageInGzipIsDataLoss) {
  const std::string text = sample(20'000, 2);
  const std::string whole = compress(text, {});
  std::mt19937 random(4);
  for (int round = 0; round < 500; ++round) {
    std::string broken = whole;
    const std::size_t at = 10 + random() % (broken.size() - 10);
    broken[at] ^= static_cast<char>(1U << (random() % 8));
    const Result<std::string> back = decompress(broken);
    ASSERT_FALSE(back && *back != text) << "flip at " << at << " went unnoticed";
  }
}

TEST(Codec, GarbageAfterTheLastMemberIsDataLoss) {
  EXPECT_FALSE(decompress(compress("hello", {}) + "garbage, more of it than a header has"));
  EXPECT_FALSE(decompress(compress("hello", {Compression::Zstd, {}}) + "garbage"));
}

TEST(Codec, ReadsBzip2AndXz) {
  const auto directory = TempDir::create();
  const std::string file = directory->path() + "/x";
  const std::string text = sample(300'000, 9);
  ASSERT_TRUE(write_file(file, text));
  for (const char* const module : {"bz2", "lzma"}) {
    const std::string script = std::string("import sys,") + module + "\nsys.stdout.buffer.write(" +
                               module + ".compress(open(sys.argv[1],'rb').read()))";
    const std::string packed = output_of({"python3", "-c", script, file});
    const Result<std::string> back = decompress(packed, 1000);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_TRUE(*back == text) << module;
    const Result<std::string> cut = decompress(packed.substr(0, packed.size() / 2));
    ASSERT_FALSE(cut) << module;
    EXPECT_EQ(cut.error().kind(), ErrorKind::DataLoss);
  }
}

TEST(Codec, LeavesUnknownBytesAsTheyAre) {
  for (const std::string_view text : {"", "x", "plain text, no magic"}) {
    EXPECT_EQ(decompress(text, 1).value(), text);
  }
}

TEST(Codec, PassesOnTheErrorOfItsSink) {
  class Full final : public Sink {
    Status write(ByteSpan) override { return make_error(ErrorKind::Unavailable, "disk full"); }
  };
  for (const CompressionSpec& spec : kSpecs) {
    Full sink;
    const auto compressor = make_compressor(spec, sink);
    const Status written = compressor->write(as_bytes("x"));
    const Status finished = compressor->finish();
    EXPECT_FALSE(written && finished && spec.compression != Compression::None);
  }
}

TEST(Codec, AnErrorInTheMiddleIsHeardAndNobodyWaitsForever) {
  /// Takes so many writes: the header and blocks.
  class Filling final : public Sink {
   public:
    explicit Filling(int room) : room_(room) {}
    Status write(ByteSpan) override {
      return --room_ >= 0 ? Status() : make_error(ErrorKind::Unavailable, "disk full");
    }

   private:
    int room_;
  };
  const std::string text = sample(30'000'000, 4);
  for (const CompressionSpec& spec :
       {CompressionSpec{Compression::Gzip, {}}, CompressionSpec{Compression::Zstd, 1}}) {
    for (const int room : {1, 2, 4}) {
      Filling sink(room);
      const auto compressor = make_compressor(spec, sink);
      Status status;
      for (int i = 0; i < 4 && status; ++i) {
        status = compressor->write(as_bytes(text));
      }
      if (status) {
        status = compressor->finish();
      }
      ASSERT_FALSE(status) << room;
      EXPECT_EQ(status.error().kind(), ErrorKind::Unavailable);
    }
  }
}

TEST(Codec, AStreamThatNobodyFinishesIsDropped) {
  const std::string text = sample(12'000'000, 4);
  StringSink sink;
  {
    const auto compressor = make_compressor({}, sink);
    ASSERT_TRUE(compressor->write(as_bytes(text)));
  }
  EXPECT_LT(sink.text.size(), text.size());
}

TEST(Codec, TheEncoderIsOursUpToLevelThree) {
  const std::string text = read_file(MYBUILD_SOURCE_DIR "/ARCHITECTURE.md").value();
  const std::string usual = compress(text, {});
  for (const int level : {1, 2, 3}) {
    EXPECT_TRUE(compress(text, {Compression::Gzip, level}) == usual) << level;
  }
  EXPECT_GT(compress(text, {Compression::Gzip, 0}).size(), text.size()) << "stored";
  EXPECT_LT(compress(text, {Compression::Gzip, 9}).size(), usual.size());
}

TEST(DeflateBlocks, TheLastBlockIsFoundInStreamsOfEveryKind) {
  for (const int level : {0, 1, 6, 9, 12}) {
    for (const std::size_t size : {0UL, 1UL, 70'000UL, 400'000UL}) {
      const std::string text = sample(size, static_cast<unsigned>(size));
      libdeflate_compressor* state = libdeflate_alloc_compressor(level);
      std::vector<std::byte> bytes(libdeflate_deflate_compress_bound(state, size));
      bytes.resize(
          libdeflate_deflate_compress(state, text.data(), size, bytes.data(), bytes.size()));
      libdeflate_free_compressor(state);
      const Result<LastBlock> last = find_last_block(bytes);
      ASSERT_TRUE(last) << level << " " << size;
      EXPECT_EQ((last->end + 7) / 8, bytes.size());
      const std::size_t original = bytes.size();
      ASSERT_TRUE(make_continuable(bytes));
      EXPECT_LE(bytes.size(), original + 5);
      EXPECT_FALSE(find_last_block(bytes)) << "there is no last block any more";
    }
  }
}

TEST(DeflateBlocks, MalformedStreamsAreRefused) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::byte> noise(random() % 300);
    std::generate(noise.begin(), noise.end(), [&] { return static_cast<std::byte>(random()); });
    const Result<LastBlock> last = find_last_block(noise);
    EXPECT_TRUE(!last || last->end <= noise.size() * 8);
  }
}

}  // namespace
}  // namespace mybuild::snapshotter

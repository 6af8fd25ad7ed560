// SPDX-License-Identifier: Apache-2.0
// What a layer costs on its way to bytes and back: tree hash, tar, compression, decompression.
#include "snapshotter/archive/codec.h"
#include "snapshotter/archive/deflate/encoder.h"
#include "snapshotter/archive/tar_reader.h"
#include "snapshotter/archive/tar_writer.h"
#include "snapshotter/base/cpu.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "tests/bench/micro/compare.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <openssl/evp.h>
#include <zstd.h>

#include <unistd.h>

#include <algorithm>
#include <array>

#include <benchmark/benchmark.h>

namespace mybuild::bench {

namespace {

namespace archive = snapshotter;

constexpr std::size_t kTextSize = std::size_t{16} << 20U;
constexpr std::size_t kGzipBlock = std::size_t{1} << 20U;
constexpr std::size_t kZstdBlock = std::size_t{4} << 20U;

class NullSink final : public Sink {
 public:
  Status write(ByteSpan bytes) override {
    benchmark::DoNotOptimize(bytes.data());
    return {};
  }
};

/// As outputs of the builder do it.
class BufferedFile final : public Sink {
 public:
  explicit BufferedFile(int fd) : fd_(fd) { buffer_.reserve(kCapacity); }
  Status write(ByteSpan bytes) override {
    if (buffer_.size() + bytes.size() > kCapacity) {
      TRY(flush());
    }
    if (bytes.size() >= kCapacity) {
      return sys::write_all(fd_, bytes);
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
  }
  Status flush() {
    TRY(sys::write_all(fd_, buffer_));
    buffer_.clear();
    return {};
  }

 private:
  static constexpr std::size_t kCapacity = 256 * 1024;
  int fd_;
  std::vector<std::byte> buffer_;
};

archive::ChangeList make_changes(std::size_t count, std::uint64_t size) {
  archive::ChangeList changes;
  for (std::string& path : make_paths(count)) {
    archive::Entry entry;
    entry.content = Digest::of(path);
    entry.path = std::move(path);
    entry.mode = 0644;
    entry.size = size;
    changes.push_back(std::move(entry));
  }
  return changes;
}

void hash_text(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  benchmark::DoNotOptimize(digest);
}

/// The bytes that an entry puts into the hash: twelve numbers, its path, its digest.
Work tree_hash() {
  const auto changes = std::make_shared<archive::ChangeList>(make_changes(20'000, 100));
  const std::size_t bytes = changes->size() * (12 * 8 + changes->front().path.size() + 32);
  const auto text = std::make_shared<std::string>(make_text(bytes, 1));
  return {.ours = [changes] { benchmark::DoNotOptimize(archive::change_digest(*changes)); },
          .limit = [text] { hash_text(*text); },
          .bytes = bytes};
}

/// 20,000 files of 100 bytes and 200 of 100 kB, into the page cache.
struct TarInput {
  archive::ChangeList small = make_changes(20'000, 100);
  archive::ChangeList large = make_changes(200, 100'000);
  std::string text = make_text(100'000, 2);
  Fd file = must(sys::memfd("tar"));
  std::string tar;

  void write_list(archive::TarWriter& writer, const archive::ChangeList& list) const {
    for (const archive::Entry& entry : list) {
      must(writer.add(entry));
      must(writer.write(as_bytes(text).first(entry.size)));
    }
  }
  void write(Sink& sink) const {
    archive::TarWriter writer(sink);
    write_list(writer, small);
    write_list(writer, large);
    must(writer.finish());
  }
};

std::shared_ptr<TarInput> make_tar_input() {
  auto input = std::make_shared<TarInput>();
  StringSink sink;
  input->write(sink);
  input->tar = std::move(sink.text);
  return input;
}

Work tar_writing() {
  const std::shared_ptr<TarInput> input = make_tar_input();
  const auto rewind = [input] { ::lseek(input->file.get(), 0, SEEK_SET); };
  return {.ours =
              [input] {
                BufferedFile file(input->file.get());
                input->write(file);
                must(file.flush());
              },
          .limit = [input] { must(sys::write_all(input->file.get(), as_bytes(input->tar))); },
          .bytes = input->tar.size(),
          .after = rewind};
}

void read_tar(const std::string& tar, MutableByteSpan buffer) {
  StringSource source(tar);
  archive::TarReader reader = must(archive::TarReader::open(source, {}));
  while (must(reader.next())) {
    while (must(reader.read(buffer)) > 0) {
    }
  }
}

Work tar_reading() {
  const auto tar = std::make_shared<std::string>(make_tar_input()->tar);
  const auto buffer = std::make_shared<std::vector<std::byte>>(256 * 1024);
  const auto copy_all = [tar, buffer] {
    for (std::size_t at = 0; at < tar->size(); at += buffer->size()) {
      const std::size_t count = std::min(buffer->size(), tar->size() - at);
      std::copy_n(as_bytes(*tar).begin() + static_cast<std::ptrdiff_t>(at), count, buffer->begin());
      benchmark::ClobberMemory();
    }
  };
  return {
      .ours = [tar, buffer] { read_tar(*tar, *buffer); }, .limit = copy_all, .bytes = tar->size()};
}

std::shared_ptr<const std::string> shared_text() {
  static auto text = std::make_shared<const std::string>(make_text(kTextSize, 3));
  return text;
}

std::string compress(std::string_view text, oci::Compression compression) {
  StringSink sink;
  const auto compressor = archive::make_compressor({.compression = compression, .level = {}}, sink);
  must(compressor->write(as_bytes(text)));
  must(compressor->finish());
  return std::move(sink.text);
}

/// `work`(block, thread's buffer) for all blocks of a text, on all cores.
template <class Compress>
std::function<void()> on_all_cores(std::size_t block, const Compress& one) {
  return [block, one, text = shared_text()] {
    cpu::for_each(text->size() / block,
                  [&](std::size_t i) { one(std::string_view(*text).substr(i * block, block)); });
  };
}

void libdeflate_block(std::string_view block) {
  thread_local libdeflate_compressor* state = libdeflate_alloc_compressor(1);
  thread_local std::vector<std::byte> out(kGzipBlock * 9 / 8);
  benchmark::DoNotOptimize(
      libdeflate_deflate_compress(state, block.data(), block.size(), out.data(), out.size()));
}

void zstd_block(std::string_view block) {
  thread_local ZSTD_CCtx* state = ZSTD_createCCtx();
  thread_local std::vector<std::byte> out(ZSTD_compressBound(kZstdBlock));
  benchmark::DoNotOptimize(
      ZSTD_compressCCtx(state, out.data(), out.size(), block.data(), block.size(), 3));
}

std::function<Work()> compression(oci::Compression form, std::function<void()> limit) {
  return [form, limit = std::move(limit)]() -> Work {
    const std::shared_ptr<const std::string> text = shared_text();
    return {.ours = [text, form] { benchmark::DoNotOptimize(compress(*text, form)); },
            .limit = limit,
            .bytes = text->size()};
  };
}

Work deflate_of_a_block() {
  const std::shared_ptr<const std::string> text = shared_text();
  const std::string_view block = std::string_view(*text).substr(0, kGzipBlock);
  const auto encoder = std::make_shared<archive::deflate::Encoder>();
  const auto out =
      std::make_shared<std::vector<std::byte>>(archive::deflate::Encoder::bound(block.size()));
  return {.ours = [=] { benchmark::DoNotOptimize(encoder->encode(as_bytes(block), true, *out)); },
          .limit = [text, block] { libdeflate_block(block); },
          .bytes = block.size()};
}

void decompress(const std::string& compressed) {
  StringSource source(compressed);
  const std::unique_ptr<Source> plain = must(archive::make_decompressor(source));
  NullSink sink;
  must(copy(*plain, sink));
}

void isal_inflate_whole(const std::string& compressed, std::string& out) {
  inflate_state state{};
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  state.next_in =  // read only
      const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(compressed.data()));
  state.avail_in = static_cast<std::uint32_t>(compressed.size());
  state.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  state.avail_out = static_cast<std::uint32_t>(out.size());
  if (isal_inflate(&state) != ISAL_DECOMP_OK || state.total_out != out.size()) {
    give_up("isa-l does not inflate it");
  }
}

void zstd_whole(const std::string& compressed, std::string& out) {
  if (ZSTD_decompress(out.data(), out.size(), compressed.data(), compressed.size()) != out.size()) {
    give_up("zstd does not decompress it");
  }
}

std::function<Work()> decompression(oci::Compression form,
                                    void (*library)(const std::string&, std::string&)) {
  return [form, library]() -> Work {
    const auto packed = std::make_shared<std::string>(compress(*shared_text(), form));
    const auto out = std::make_shared<std::string>(kTextSize, '\0');
    return {.ours = [packed] { decompress(*packed); },
            .limit = [packed, out, library] { library(*packed, *out); },
            .bytes = kTextSize};
  };
}

}  // namespace

std::string_view add_comparisons() {
  compare({.name = "tree hash", .limit = "SHA-256 of as many bytes", .prepare = tree_hash});
  compare({.name = "tar writing",
           .limit = "write(2) of the same bytes",
           .measured = Measured::Wall,
           .prepare = tar_writing});
  compare({.name = "tar reading", .limit = "memcpy of the same bytes", .prepare = tar_reading});
  compare(
      {.name = "deflate of a block", .limit = "libdeflate level 1", .prepare = deflate_of_a_block});
  compare(
      {.name = "gzip, all cores",
       .limit = "libdeflate level 1 on all cores",
       .measured = Measured::Wall,
       .prepare = compression(oci::Compression::Gzip, on_all_cores(kGzipBlock, libdeflate_block))});
  compare({.name = "zstd, all cores",
           .limit = "libzstd level 3 on all cores",
           .measured = Measured::Wall,
           .prepare = compression(oci::Compression::Zstd, on_all_cores(kZstdBlock, zstd_block))});
  compare({.name = "gunzip",
           .limit = "ISA-L from memory to memory",
           .measured = Measured::Wall,
           .prepare = decompression(oci::Compression::Gzip, isal_inflate_whole)});
  compare({.name = "unzstd",
           .limit = "libzstd from memory to memory",
           .measured = Measured::Wall,
           .prepare = decompression(oci::Compression::Zstd, zstd_whole)});
  return "archive";
}

}  // namespace mybuild::bench

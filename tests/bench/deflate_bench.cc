// SPDX-License-Identifier: Apache-2.0
// How fast encoders make deflate of files in blocks of 1 MiB, on one core, and how small: a line
// each. `zlib 6 whole` is what `gzip -6` makes, the size that others are compared with.
#include "snapshotter/archive/deflate/encoder.h"
#include "snapshotter/base/file.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <ctime>
#include <functional>

namespace mybuild {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20U;

/// Returns the size of the compressed block.
using Compress = std::function<std::size_t(ByteSpan block, MutableByteSpan out)>;

struct Encoder {
  std::string name;
  Compress compress;
  std::size_t block = kBlock;
};

/// Of this thread alone, so that others on the machine matter less.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Encoder ours() {
  return {.name = "ours", .compress = [](ByteSpan block, MutableByteSpan out) {
            static snapshotter::deflate::Encoder encoder;
            return encoder.encode(block, true, out);
          }};
}

Encoder libdeflate(int level) {
  const std::shared_ptr<libdeflate_compressor> state(libdeflate_alloc_compressor(level),
                                                     libdeflate_free_compressor);
  return {.name = fmt::format("libdeflate {}", level),
          .compress = [state](ByteSpan block, MutableByteSpan out) {
            return libdeflate_deflate_compress(state.get(), block.data(), block.size(), out.data(),
                                               out.size());
          }};
}

Encoder isal(unsigned level) {
  const auto memory = std::make_shared<std::vector<std::uint8_t>>(ISAL_DEF_LVL3_DEFAULT);
  return {.name = fmt::format("isa-l {}", level),
          .compress = [memory, level](ByteSpan block, MutableByteSpan out) -> std::size_t {
            isal_zstream stream{};
            isal_deflate_init(&stream);
            stream.end_of_stream = 1;
            stream.level = level;
            stream.level_buf = memory->data();
            stream.level_buf_size = static_cast<std::uint32_t>(memory->size());
            stream.next_in =  // read only
                const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(block.data()));
            stream.avail_in = static_cast<std::uint32_t>(block.size());
            stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
            stream.avail_out = static_cast<std::uint32_t>(out.size());
            isal_deflate(&stream);
            return stream.total_out;
          }};
}

Encoder zlib(int level, std::size_t block) {
  return {.name = fmt::format("zlib {}{}", level, block == kBlock ? "" : " whole"),
          .compress =
              [level](ByteSpan input, MutableByteSpan out) {
                uLongf size = out.size();
                compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                          reinterpret_cast<const Bytef*>(input.data()), input.size(), level);
                return static_cast<std::size_t>(size);
              },
          .block = block};
}

std::size_t measure(const Encoder& encoder, ByteSpan input, std::size_t reference) {
  std::vector<std::byte> out(std::min(encoder.block, input.size()) * 9 / 8 + 100'000);
  std::size_t size = 0;
  const double begin = cpu_seconds();
  for (std::size_t at = 0; at < input.size(); at += encoder.block) {
    size += encoder.compress(input.subspan(at, std::min(encoder.block, input.size() - at)), out);
  }
  const double seconds = cpu_seconds() - begin;
  const auto bytes = static_cast<double>(input.size());
  const double more =
      reference == 0 ? 0.0
                     : 100.0 * static_cast<double>(size) / static_cast<double>(reference) - 100.0;
  fmt::print("  {:13} {:8.1f} MB/s {:8.3f} % {:+7.2f} %\n", encoder.name, bytes / seconds / 1e6,
             100.0 * static_cast<double>(size) / bytes, more);
  return size;
}

void measure_file(const std::string& path, ByteSpan input) {
  fmt::print("{}, {} bytes: speed, size, and how much larger than gzip -6 makes it\n", path,
             input.size());
  const std::size_t reference = measure(zlib(6, std::max(kBlock + 1, input.size())), input, 0);
  std::vector<Encoder> encoders = {ours()};
  for (int level = 1; level <= 6; ++level) {
    encoders.push_back(libdeflate(level));
  }
  for (unsigned level = 0; level <= 3; ++level) {
    encoders.push_back(isal(level));
  }
  for (const Encoder& encoder : encoders) {
    measure(encoder, input, reference);
  }
}

}  // namespace
}  // namespace mybuild

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const mybuild::Result<std::string> input = mybuild::read_file(argv[i]);
    if (!input) {
      fmt::print(stderr, "{}\n", input.error().message());
      return 1;
    }
    mybuild::measure_file(argv[i], mybuild::as_bytes(*input));
  }
  return argc > 1 ? 0 : 2;
}

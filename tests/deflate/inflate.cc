// SPDX-License-Identifier: Apache-2.0
#include "tests/deflate/inflate.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <zlib.h>

#include <memory>

namespace mybuild::testing_support {

namespace {

/// A decoder has one byte more than it needs, and must leave it.
std::string buffer_for(std::size_t size) {
  return std::string(size + 1, '\0');
}

bool inflate_by_zlib(ByteSpan deflate, std::string& out) {
  z_stream stream{};
  std::string input(as_text(deflate));
  if (inflateInit2(&stream, -15) != Z_OK) {
    return false;
  }
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return result == Z_STREAM_END && stream.avail_in == 0;
}

bool inflate_by_libdeflate(ByteSpan deflate, std::string& out) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> state(
      libdeflate_alloc_decompressor(), &libdeflate_free_decompressor);
  std::size_t used = 0;
  std::size_t made = 0;
  const auto result = libdeflate_deflate_decompress_ex(state.get(), deflate.data(), deflate.size(),
                                                       out.data(), out.size(), &used, &made);
  out.resize(made);
  return result == LIBDEFLATE_SUCCESS && used == deflate.size();
}

bool inflate_by_isal(ByteSpan deflate, std::string& out) {
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  std::string input(as_text(deflate));
  state->next_in = reinterpret_cast<std::uint8_t*>(input.data());
  state->avail_in = static_cast<std::uint32_t>(input.size());
  state->next_out = reinterpret_cast<std::uint8_t*>(out.data());
  state->avail_out = static_cast<std::uint32_t>(out.size());
  const int result = isal_inflate(state.get());
  out.resize(state->total_out);
  return result == ISAL_DECOMP_OK && state->block_state == ISAL_BLOCK_FINISH;
}

}  // namespace

std::string inflate_thrice(ByteSpan deflate, std::size_t size) {
  std::string zlib = buffer_for(size);
  if (!inflate_by_zlib(deflate, zlib)) {
    return "zlib";
  }
  std::string libdeflate = buffer_for(size);
  if (!inflate_by_libdeflate(deflate, libdeflate) || libdeflate != zlib) {
    return "libdeflate";
  }
  std::string isal = buffer_for(size);
  if (!inflate_by_isal(deflate, isal) || isal != zlib) {
    return "ISA-L";
  }
  return zlib;
}

}  // namespace mybuild::testing_support

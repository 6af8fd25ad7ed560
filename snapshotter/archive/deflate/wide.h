// SPDX-License-Identifier: Apache-2.0
// The few steps that x86's SSE2, which every x86-64 has, does at once. Each has a plain twin with
// the same results for all other machines, and a test that compares them. Internal to deflate/.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace mybuild::snapshotter::deflate {

inline std::uint64_t load64(const std::uint8_t* at) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

constexpr std::size_t kCompared = 16;

namespace plain {

inline std::uint32_t common_prefix(const std::uint8_t* a, const std::uint8_t* b) {
  const std::uint64_t low = load64(a) ^ load64(b);
  const std::uint64_t high = load64(a + 8) ^ load64(b + 8);
  const int bits = low != 0 ? std::countr_zero(low) : 64 + std::countr_zero(high);
  return static_cast<std::uint32_t>(bits) / 8;
}

inline std::uint32_t worth_mask(std::uint16_t* lengths, const std::uint16_t* distances,
                                std::uint16_t min_length, std::uint16_t far) {
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) {
    lengths[i] = distances[i] < 0x8000 ? lengths[i] : std::uint16_t{0};
    const bool is_worth = lengths[i] + (distances[i] < far ? 1 : 0) > min_length;
    mask |= std::uint32_t{is_worth} << i;
  }
  return mask;
}

}  // namespace plain

#if defined(__SSE2__)
/// How many of the first kCompared bytes are equal.
inline std::uint32_t common_prefix(const std::uint8_t* a, const std::uint8_t* b) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
  const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
  const auto equal = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(x, y)));
  return static_cast<std::uint32_t>(__builtin_ctz(~equal));  // never 0: 16 bits are not set
}

/// Of eight copies, which are longer than `min_length`, or just as long and nearer than `far`: a
/// bit for each. Lengths (below 0x7fff) whose distance has the highest bit become 0.
inline std::uint32_t worth_mask(std::uint16_t* lengths, const std::uint16_t* distances,
                                std::uint16_t min_length, std::uint16_t far) {
  auto* in_place = reinterpret_cast<__m128i*>(lengths);
  const __m128i distance = _mm_loadu_si128(reinterpret_cast<const __m128i*>(distances));
  const __m128i none = _mm_srai_epi16(distance, 15);
  const __m128i length = _mm_andnot_si128(none, _mm_loadu_si128(in_place));
  _mm_storeu_si128(in_place, length);
  const __m128i is_near = _mm_cmpgt_epi16(_mm_set1_epi16(static_cast<short>(far)), distance);
  const __m128i is_worth = _mm_cmpgt_epi16(_mm_sub_epi16(length, is_near),
                                           _mm_set1_epi16(static_cast<short>(min_length)));
  return static_cast<std::uint32_t>(
      _mm_movemask_epi8(_mm_packs_epi16(is_worth, _mm_setzero_si128())));
}
#else
using plain::common_prefix;
using plain::worth_mask;
#endif

}  // namespace mybuild::snapshotter::deflate

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/sha256_pair.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mybuild {

namespace {

#if defined(__x86_64__)

/// FIPS 180-4, 4.2.2.
alignas(16) constexpr std::uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define MYBUILD_SHA __attribute__((target("sha,sse4.1"), always_inline)) inline

/// The eight words as the instructions want them: a b e f, and c d g h, from the highest down.
struct Chain {
  __m128i abef;
  __m128i cdgh;
};

MYBUILD_SHA Chain load(const Sha256Pair::Words& words) {
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data()));
  const __m128i hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(words.data() + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
  const __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  return {.abef = _mm_alignr_epi8(cdab, efgh, 8), .cdgh = _mm_blend_epi16(efgh, cdab, 0xf0)};
}

MYBUILD_SHA void store(const Chain& chain, Sha256Pair::Words& words) {
  const __m128i feba = _mm_shuffle_epi32(chain.abef, 0x1b);
  const __m128i dchg = _mm_shuffle_epi32(chain.cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words.data()), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(words.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

MYBUILD_SHA void four_rounds(Chain& chain, __m128i words) {
  chain.cdgh = _mm_sha256rnds2_epu32(chain.cdgh, chain.abef, words);
  chain.abef = _mm_sha256rnds2_epu32(chain.abef, chain.cdgh, _mm_shuffle_epi32(words, 0x0e));
}

/// FIPS 180-4, 6.2.2, for as many chains as there are.
template <std::size_t kChains>
__attribute__((target("sha,sse4.1"))) void compress_blocks(
    const std::array<Sha256Pair::Words*, kChains>& states, const std::byte* blocks,
    std::size_t count) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  Chain chains[kChains];
  for (std::size_t i = 0; i < kChains; ++i) {
    chains[i] = load(*states[i]);
  }
  for (; count > 0; --count, blocks += Sha256Pair::kBlock) {
    Chain before[kChains];
    for (std::size_t i = 0; i < kChains; ++i) {
      before[i] = chains[i];
    }
    __m128i words[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      words[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(blocks) + i),
                                  big_endian);
    }
#pragma GCC unroll 16
    for (int quarter = 0; quarter < 16; ++quarter) {
      __m128i& now = words[quarter % 4];
      if (quarter >= 4) {
        const __m128i last = words[(quarter + 3) % 4];
        const __m128i sevens = _mm_alignr_epi8(last, words[(quarter + 2) % 4], 4);
        now = _mm_sha256msg1_epu32(now, words[(quarter + 1) % 4]);
        now = _mm_sha256msg2_epu32(_mm_add_epi32(now, sevens), last);
      }
      const __m128i mixed =
          _mm_add_epi32(now, _mm_load_si128(reinterpret_cast<const __m128i*>(kRounds) + quarter));
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kChains; ++i) {
        four_rounds(chains[i], mixed);
      }
    }
    for (std::size_t i = 0; i < kChains; ++i) {
      chains[i].abef = _mm_add_epi32(chains[i].abef, before[i].abef);
      chains[i].cdgh = _mm_add_epi32(chains[i].cdgh, before[i].cdgh);
    }
  }
  for (std::size_t i = 0; i < kChains; ++i) {
    store(chains[i], *states[i]);
  }
}

bool has_instructions() {
  __builtin_cpu_init();
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kSha = 1U << 29U;
  __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(0));
  return __builtin_cpu_supports("sse4.1") != 0 && (b & kSha) != 0;
}

#else

template <std::size_t kChains>
void compress_blocks(const std::array<Sha256Pair::Words*, kChains>&, const std::byte*,
                     std::size_t) {
  std::abort();  // is_supported() said so
}

bool has_instructions() {
  return false;
}

#endif

}  // namespace

bool Sha256Pair::is_supported() {
  static const bool supported = has_instructions();
  return supported;
}

void Sha256Pair::compress(const std::byte* blocks, std::size_t count) {
  if (in_part_) {
    compress_blocks<2>({&stream_, &part_}, blocks, count);
  } else {
    compress_blocks<1>({&stream_}, blocks, count);
  }
}

void Sha256Pair::update(ByteSpan bytes) {
  const std::size_t held = size_ % kBlock;
  size_ += bytes.size();
  if (held > 0) {
    const std::size_t count = std::min(bytes.size(), kBlock - held);
    std::copy_n(bytes.begin(), count, pending_.begin() + static_cast<std::ptrdiff_t>(held));
    bytes = bytes.subspan(count);
    if (held + count < kBlock) {
      return;
    }
    compress(pending_.data(), 1);
  }
  compress(bytes.data(), bytes.size() / kBlock);
  const ByteSpan rest = bytes.last(bytes.size() % kBlock);
  std::copy(rest.begin(), rest.end(), pending_.begin());
}

void Sha256Pair::begin_part() {
  in_part_ = true;
  begin_ = size_;
  part_ = kInitial;
}

Digest Sha256Pair::end_part() {
  in_part_ = false;
  return padded(part_, size_ - begin_);
}

Digest Sha256Pair::finish() {
  return padded(stream_, size_);
}

/// FIPS 180-4, 5.1.1: a one, zeros, and the number of bits.
Digest Sha256Pair::padded(Words words, std::uint64_t size) const {
  std::array<std::byte, 2 * kBlock> last{};
  const std::size_t held = size % kBlock;
  std::copy_n(pending_.begin(), held, last.begin());
  last[held] = std::byte{0x80};
  const std::size_t blocks = held < kBlock - sizeof(std::uint64_t) ? 1 : 2;
  std::uint64_t bits = size * 8;
  for (std::size_t i = blocks * kBlock; bits > 0; bits >>= 8U) {
    last[--i] = static_cast<std::byte>(bits & 0xffU);
  }
  compress_blocks<1>({&words}, last.data(), blocks);
  Digest digest;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    digest.bytes[i] = static_cast<std::byte>(words[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace mybuild

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/inflate.h"

#include "snapshotter/archive/codec.h"

#include <gtest/gtest.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdint>
#include <optional>
#include <vector>

namespace mybuild::snapshotter {
namespace {

/// Which vector registers have bits above the lowest 128: those of YMM0 to YMM15, or of ZMM0 to
/// ZMM15 (XINUSE, Intel SDM 1, 13.6). nullopt where the CPU does not tell.
std::optional<std::uint32_t> upper_halves_in_use() {
#if defined(__x86_64__)
  constexpr std::uint32_t kYmm = 1U << 2U;
  constexpr std::uint32_t kZmm = 1U << 6U;
  constexpr unsigned kTellsInUse = 1U << 2U;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__builtin_cpu_supports("avx") == 0 || __get_cpuid_count(0xd, 1, &a, &b, &c, &d) == 0 ||
      (a & kTellsInUse) == 0) {
    return std::nullopt;
  }
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(1));
  return a & (kYmm | kZmm);
#else
  return std::nullopt;
#endif
}

TEST(Inflate, leaves_no_vector_register_that_slows_sha_down) {
  StringSink packed;
  const auto compressor = make_compressor({}, packed);
  ASSERT_TRUE(compressor->write(as_bytes(std::string(1 << 20, 'a'))));
  ASSERT_TRUE(compressor->finish());
  std::vector<std::uint8_t> plain(1 << 20);
  inflate_state state;
  isal_inflate_init(&state);
  state.crc_flag = ISAL_GZIP;
  state.next_in = reinterpret_cast<std::uint8_t*>(packed.text.data());
  state.avail_in = static_cast<std::uint32_t>(packed.text.size());
  state.next_out = plain.data();
  state.avail_out = static_cast<std::uint32_t>(plain.size());
  const int code = inflate_step(state);
  const std::optional<std::uint32_t> in_use = upper_halves_in_use();
  ASSERT_EQ(code, ISAL_DECOMP_OK);
  EXPECT_EQ(state.avail_out, 0U);
  if (!in_use) {
    GTEST_SKIP() << "this CPU does not tell which registers are in use";
  }
  EXPECT_EQ(*in_use, 0U);
}

}  // namespace
}  // namespace mybuild::snapshotter

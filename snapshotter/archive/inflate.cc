// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/archive/inflate.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mybuild::snapshotter {

namespace {

#if defined(__x86_64__)

__attribute__((target("avx"))) void zero_upper_halves() {
  _mm256_zeroupper();
}

void release_vector_registers() {
  if (__builtin_cpu_supports("avx") != 0) {
    zero_upper_halves();
  }
}

#else

void release_vector_registers() {}

#endif

}  // namespace

int inflate_step(inflate_state& state) {
  const int code = isal_inflate(&state);
  release_vector_registers();
  return code;
}

}  // namespace mybuild::snapshotter

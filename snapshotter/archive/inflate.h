// SPDX-License-Identifier: Apache-2.0
// isal_inflate() for who computes on afterwards: ISA-L's checksum leaves the upper halves of the
// vector registers in use, and from then on the thread's SHA-256, which is made of SSE
// instructions, has less than half its speed (Zen 5: 0.76 instead of 1.8 GB/s). Thread-compatible.
#pragma once

#include <isa-l/igzip_lib.h>

namespace mybuild::snapshotter {

/// Returns what isal_inflate() returns.
int inflate_step(inflate_state& state);

}  // namespace mybuild::snapshotter

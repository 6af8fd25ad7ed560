// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/file_compare.h"

#include "snapshotter/base/sys.h"

#include <algorithm>
#include <vector>

namespace mybuild::snapshotter {

Result<bool> same_contents(int a, int b) {
  constexpr std::size_t kChunk = 64 * 1024;
  std::vector<std::byte> left(kChunk);
  std::vector<std::byte> right(kChunk);
  for (;;) {
    const std::size_t left_size = TRY(sys::read_full(a, left));
    const std::size_t right_size = TRY(sys::read_full(b, right));
    if (left_size != right_size ||
        !std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(left_size),
                    right.begin())) {
      return false;
    }
    if (left_size == 0) {
      return true;
    }
  }
}

}  // namespace mybuild::snapshotter

// SPDX-License-Identifier: Apache-2.0
#include "builder/space/item.h"

namespace mybuild::space {

std::string_view to_string(ItemType type) {
  constexpr std::string_view kNames[] = {"regular",     "source.image",    "source.git.checkout",
                                         "source.http", "exec.cachemount", "internal"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace mybuild::space

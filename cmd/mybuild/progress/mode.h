// SPDX-License-Identifier: Apache-2.0
// How a build shows its progress (--progress). Value type.
#pragma once

namespace mybuild::progress {

enum class Mode {
  Auto,   // Tty on a terminal, else Plain
  Tty,    // redrawn in place
  Plain,  // one line after another, as BuildKit writes them
  Quiet,  // errors only
};

}  // namespace mybuild::progress

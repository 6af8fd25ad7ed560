// SPDX-License-Identifier: Apache-2.0
// --progress=tty: finished steps scroll up as plain lines; below them a live part is redrawn in
// place: each running step with its time, its transfers and the end of its log, and a line of
// counts. A frame is one write; the cursor is hidden only inside a frame, so there is nothing to
// restore whatever ends the program. One thread only.
#pragma once

#include "cmd/mybuild/progress/step.h"
#include "cmd/mybuild/progress/terminal.h"

#include <functional>
#include <memory>

namespace mybuild::progress {

struct TtyStyle {
  bool color = true;
  bool unicode = true;
};

/// `size` is asked before each frame.
std::unique_ptr<Printer> make_tty_printer(TtyStyle style, std::function<WindowSize()> size);

}  // namespace mybuild::progress

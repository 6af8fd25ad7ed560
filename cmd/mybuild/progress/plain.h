// SPDX-License-Identifier: Apache-2.0
// --progress=plain: one line after another in BuildKit's shape ("#7 [2/5] RUN …", "#7 0.123 text",
// "#7 DONE 0.3s"). The lines of one step stay together as long as that holds nobody up: a step that
// ends is printed at once, a silent one gives way after a moment, a talkative one after some
// seconds. One thread only.
#pragma once

#include "cmd/mybuild/progress/step.h"

#include <memory>

namespace mybuild::progress {

std::unique_ptr<Printer> make_plain_printer();

}  // namespace mybuild::progress

// SPDX-License-Identifier: Apache-2.0
// What mybuild-git does: reads one request, answers it, ends. One thread.
#pragma once

namespace mybuild::git {

/// The exit code; the answer says more.
int helper_main();

}  // namespace mybuild::git

// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/start_hint.h"

#include <fmt/format.h>

namespace mybuild::ops {

namespace {

std::string for_no_emulator(std::string_view owner, const oci::Platform& platform,
                            const oci::Platform& host) {
  return fmt::format(
      "{} is for {}, and this machine runs programs for {}: register an emulator with binfmt_misc "
      "(Debian: `apt-get install qemu-user-static binfmt-support`; with docker: `docker run "
      "--privileged --rm tonistiigi/binfmt --install {}`)",
      owner, oci::to_string(platform), oci::to_string(host), platform.architecture);
}

}  // namespace

std::string start_hint(std::string_view start_error, std::string_view owner,
                       const oci::Platform& platform) {
  const oci::Platform host = oci::host_platform();
  const bool is_foreign = platform.os != host.os || platform.architecture != host.architecture;
  if (start_error.ends_with("exec format error")) {
    return is_foreign ? for_no_emulator(owner, platform, host)
                      : fmt::format(
                            "it is no program for {}, and a script begins with #! and the "
                            "path of what runs it",
                            oci::to_string(host));
  }
  // The kernel looks for an emulator in the root of the program, unless it has it open already.
  if (is_foreign && start_error.ends_with("no such file or directory")) {
    return fmt::format(
        "if the file is there, then the emulator for {} is not: it is looked for among the files "
        "of {} unless it "
        "was registered with binfmt_misc's flag F",
        oci::to_string(platform), owner);
  }
  return {};
}

}  // namespace mybuild::ops

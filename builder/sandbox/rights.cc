// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/rights.h"

#include "builder/sandbox/identity.h"

#include <linux/capability.h>

#include <cerrno>

namespace mybuild::sandbox {

bool has_sys_admin() {
  const Result<std::uint64_t> effective = effective_capabilities();
  return effective && (*effective >> CAP_SYS_ADMIN & 1U) != 0;
}

Error explain_rights(Error error) {
  if (error.os_errno() == ENOSYS) {
    return std::move(error).with_hint("sandboxes need Linux 5.12 or newer");
  }
  if (error.os_errno() != EPERM && error.os_errno() != EACCES) {
    return error;
  }
  if (!has_sys_admin()) {
    return std::move(error).with_hint(
        "CAP_SYS_ADMIN is missing: run mybuild as root; inside a container, start that with "
        "--privileged, or with --cap-add SYS_ADMIN --security-opt seccomp=unconfined "
        "--security-opt apparmor=unconfined");
  }
  return std::move(error).with_hint(
      "CAP_SYS_ADMIN is there, but a filter around this process forbids the call: inside a "
      "container, start that with --privileged, or with --security-opt seccomp=unconfined "
      "--security-opt apparmor=unconfined");
}

}  // namespace mybuild::sandbox

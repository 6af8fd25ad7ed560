// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

namespace mybuild::sandbox {

namespace {

constexpr sock_filter kFilter[] = {
#include "seccomp_filter.inc"
};

}  // namespace

Status install_default_filter() {
  const sock_fprog program = {.len = static_cast<unsigned short>(std::size(kFilter)),
                              .filter = const_cast<sock_filter*>(kFilter)};
  long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
  if (result < 0) {
    return os_error(errno, "install the system call filter");
  }
  return {};
}

}  // namespace mybuild::sandbox

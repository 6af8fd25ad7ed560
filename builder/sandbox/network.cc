// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/network.h"

#include "snapshotter/base/fd.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include <net/if.h>

namespace mybuild::sandbox {

Status bring_loopback_up() {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request {};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!socket || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) < 0) {
    return os_error(errno, "bring the loopback up");
  }
  return {};
}

}  // namespace mybuild::sandbox

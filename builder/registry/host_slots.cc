// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/host_slots.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace mybuild::registry {

HostSlots::Slot::~Slot() {
  if (host_) {
    static_cast<void>(::eventfd_write(host_->get(), 1));
  }
}

Result<std::shared_ptr<const Fd>> HostSlots::host(const std::string& origin) {
  auto hosts = hosts_.lock();
  std::shared_ptr<const Fd>& slot = (*hosts)[origin];
  if (!slot) {
    Fd semaphore(::eventfd(per_host_, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
    if (!semaphore) {
      return os_error(errno, "eventfd");
    }
    slot = std::make_shared<const Fd>(std::move(semaphore));
  }
  return slot;
}

Result<HostSlots::Slot> HostSlots::take(const std::string& origin, const Cancel& cancel) {
  std::shared_ptr<const Fd> semaphore = TRY(host(origin));
  for (;;) {
    TRY(cancel.check());
    eventfd_t one = 0;
    if (::eventfd_read(semaphore->get(), &one) == 0) {
      return Slot(std::move(semaphore));
    }
    pollfd wait[] = {{semaphore->get(), POLLIN, 0}, {cancel.fd(), POLLIN, 0}};
    if (::poll(wait, 2, -1) < 0 && errno != EINTR) {
      return os_error(errno, "poll");
    }
  }
}

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/plan.h"

#include <linux/capability.h>

namespace mybuild::sandbox {

const SandboxDefaults& sandbox_defaults() {
  static const SandboxDefaults defaults = {
      .capabilities = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID,
                       CAP_SETUID, CAP_SETPCAP, CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SYS_CHROOT,
                       CAP_MKNOD, CAP_AUDIT_WRITE, CAP_SETFCAP},
      .masked_paths = {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore",
                       "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
                       "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
                       "/sys/firmware"},
      .read_only_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
  };
  return defaults;
}

}  // namespace mybuild::sandbox

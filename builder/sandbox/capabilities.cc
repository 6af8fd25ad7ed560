// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/identity.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace mybuild::sandbox {

namespace {

constexpr int kHighest = 63;  // the kernel refuses numbers beyond its own last one

struct Sets {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
};

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return low | std::uint64_t{high} << 32U;
}

Result<Sets> read_sets() {
  Sets sets;
  if (::syscall(SYS_capget, &sets.header, sets.data) < 0) {
    return os_error(errno, "read capabilities");
  }
  return sets;
}

Status write_set(std::uint64_t keep) {
  Sets sets;
  for (int i = 0; i < 2; ++i) {
    const auto half = static_cast<std::uint32_t>(keep >> (32 * i));
    sets.data[i] = {.effective = half, .permitted = half, .inheritable = 0};
  }
  if (::syscall(SYS_capset, &sets.header, sets.data) < 0) {
    return os_error(errno, "set capabilities");
  }
  return {};
}

Status drop_bounding(std::uint64_t keep) {
  for (int capability = 0; capability <= kHighest; ++capability) {
    if ((keep >> capability & 1U) != 0 || ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 0) {
      continue;
    }
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
      if (errno == EINVAL) {
        break;  // past the last one this kernel knows
      }
      return os_error(errno, "drop a capability");
    }
  }
  return {};
}

Result<std::uint64_t> those_we_have(const std::vector<int>& capabilities) {
  const Sets have = TRY(read_sets());
  std::uint64_t wanted = 0;
  for (const int capability : capabilities) {
    wanted |= std::uint64_t{1} << capability;
  }
  return wanted & join(have.data[0].permitted, have.data[1].permitted);
}

Status set_groups(const Identity& identity) {
  if (::setgroups(identity.groups.size(), identity.groups.data()) < 0) {
    return os_error(errno, "set the supplementary groups");
  }
  if (::setresgid(identity.gid, identity.gid, identity.gid) < 0) {
    return os_error(errno, "set the group");
  }
  return {};
}

Status set_user(const Identity& identity) {
  if (::setresuid(identity.uid, identity.uid, identity.uid) < 0) {
    return os_error(errno, "set the user");
  }
  return {};
}

}  // namespace

Result<std::uint64_t> effective_capabilities() {
  const Sets sets = TRY(read_sets());
  return join(sets.data[0].effective, sets.data[1].effective);
}

Status limit_gains(const std::vector<int>& capabilities) {
  return drop_bounding(TRY(those_we_have(capabilities)));
}

Status become(const Identity& identity, const std::vector<int>& capabilities) {
  const std::uint64_t keep = TRY(those_we_have(capabilities));
  // The bounding set first, as that needs CAP_SETPCAP; the user last, as for others than root it
  // clears the rest.
  TRY(drop_bounding(keep));
  TRY(set_groups(identity));
  TRY(write_set(keep));
  return set_user(identity);
}

Status become_with_all_capabilities(const Identity& identity) {
  TRY(set_groups(identity));
  return set_user(identity);
}

}  // namespace mybuild::sandbox

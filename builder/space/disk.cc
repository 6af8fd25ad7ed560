// SPDX-License-Identifier: Apache-2.0
#include "builder/space/disk.h"

#include <sys/statvfs.h>

#include <cerrno>

namespace mybuild::space {

Result<DiskFacts> disk_facts(const std::string& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) {
    return os_error(errno, "look how full the disk of " + directory + " is");
  }
  return DiskFacts{.total = static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize,
                   .free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize};
}

}  // namespace mybuild::space

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/boot.h"

#include "snapshotter/base/file.h"

namespace mybuild {

Result<std::string> boot_id() {
  static const Result<std::string> id =
      read_file("/proc/sys/kernel/random/boot_id").context("tell this boot from others");
  return id;
}

}  // namespace mybuild

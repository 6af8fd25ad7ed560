// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/oom.h"

#include "snapshotter/base/file.h"

#include <charconv>
#include <string_view>

namespace mybuild::sandbox {

std::uint64_t count_oom_kills() {
  constexpr std::string_view kKey = "\noom_kill ";
  const Result<std::string> text = read_file("/proc/vmstat");
  const std::size_t found = text ? text->find(kKey) : std::string::npos;
  std::uint64_t count = 0;
  if (found != std::string::npos) {
    const char* const begin = text->data() + found + kKey.size();
    std::from_chars(begin, text->data() + text->size(), count);
  }
  return count;
}

}  // namespace mybuild::sandbox

// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/random_id.h"

#include "snapshotter/base/bytes.h"

#include <sys/random.h>

#include <cerrno>

namespace mybuild::cache_server {

Result<std::string> random_id(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (::getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(raw.size())) {
    return os_error(errno, "getrandom");
  }
  return to_hex(as_bytes(raw));
}

}  // namespace mybuild::cache_server

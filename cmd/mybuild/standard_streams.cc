// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace mybuild::cli {

void occupy_standard_streams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    // The lowest free number is the stream's, as all below it are taken.
    if (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != stream) {
      std::abort();  // no descriptor to be had, and nowhere to say so
    }
  }
}

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/reporter.h"

#include "snapshotter/base/sys.h"

#include <cstdlib>

namespace mybuild::git {

namespace {

constexpr std::chrono::milliseconds kBetween{100};

}  // namespace

void Reporter::progress(const HelperProgress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (progress.text == text_ && now - last_ < kBetween) {
    return;
  }
  text_ = progress.text;
  last_ = now;
  say(progress);
}

void Reporter::warn(const std::string& text) {
  say(HelperWarning{text});
}

void Reporter::end(const HelperAnswer& answer) {
  say(answer);
}

void Reporter::say(const HelperAnswer& answer) {
  const std::string line = encode(answer) + "\n";
  if (!sys::write_all(fd_, as_bytes(line))) {
    std::_Exit(1);  // nobody listens any more
  }
}

}  // namespace mybuild::git

// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/backoff.h"

#include "snapshotter/base/sys.h"

#include <algorithm>
#include <charconv>
#include <random>

namespace mybuild::registry {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstDelay{200};
constexpr seconds kLongestAsked{20};

std::optional<seconds> retry_after(const Response& answer) {
  const std::string text = answer.header("retry-after");
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 0) {
    return std::nullopt;
  }
  return std::min(seconds(value), kLongestAsked);
}

}  // namespace

milliseconds backoff_delay(int failures, const Response* answer) {
  if (answer != nullptr) {
    if (const std::optional<seconds> asked = retry_after(*answer)) {
      return *asked;
    }
  }
  const std::int64_t full = kFirstDelay.count() << std::clamp(failures - 1, 0, 6);
  std::random_device random;
  return milliseconds(std::uniform_int_distribution<std::int64_t>(full / 2, full)(random));
}

Status wait_or_cancel(milliseconds delay, const Cancel& cancel) {
  TRY(sys::poll_readable(cancel.fd(), delay));
  return cancel.check();
}

}  // namespace mybuild::registry

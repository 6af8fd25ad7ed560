// SPDX-License-Identifier: Apache-2.0
// Pace: whether a transfer moves at all on the whole. libcurl's own limit looks at the last seconds
// only, which a byte now and then satisfies for days. Thread-compatible.
#pragma once

#include "snapshotter/base/result.h"

#include <curl/curl.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>

namespace mybuild::registry {

class Pace {
 public:
  /// Begins now. `patience`: from when on it counts; nullopt: never.
  Pace(CURL* easy, std::optional<std::chrono::seconds> patience)
      : easy_(easy), patience_(patience) {}

  bool trickles() {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    trickled_ = patience_ && passed >= *patience_ &&
                static_cast<double>(bytes()) < passed.count() * kLeastBytesPerSecond;
    return trickled_;
  }
  bool trickled() const { return trickled_; }
  Error error(const std::string& what) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    return make_error(ErrorKind::Unavailable, "{}: only {} bytes moved in {:.0f} seconds", what,
                      bytes(), passed.count())
        .with_errno(ETIMEDOUT);
  }

 private:
  static constexpr double kLeastBytesPerSecond = 1024;

  curl_off_t bytes() const {
    curl_off_t down = 0;
    curl_off_t up = 0;
    long headers = 0;
    curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &down);
    curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(easy_, CURLINFO_HEADER_SIZE, &headers);
    return down + up + headers;
  }

  CURL* easy_;
  const std::optional<std::chrono::seconds> patience_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool trickled_ = false;
};

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
// HttpAddress: a URL taken apart: what is sent, what may be shown, and the login that was written
// into it, which is in neither. Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>

namespace mybuild::source {

struct HttpAddress {
  std::string url;  // without user, password and fragment; what no request line may hold is escaped
  std::string shown;  // for messages: without the query, too
  std::string host;   // without port and brackets, as it is written
  std::string login;  // "Basic …" made of user:password@; "" when there is none
};

/// Http and https only. No message shows the login.
Result<HttpAddress> parse_http_address(std::string_view url);

}  // namespace mybuild::source

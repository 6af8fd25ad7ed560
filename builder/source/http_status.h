// SPDX-License-Identifier: Apache-2.0
// What the status of a web server means as an Error. Thread-safe.
#pragma once

#include "builder/registry/transport.h"
#include "builder/source/http_address.h"

#include <string_view>

namespace mybuild::source {

/// 404 is NotFound, 401 and 403 Denied, 429 and 5xx Unavailable. `credential` names what was sent
/// to log in; may be empty.
Error http_status_error(const registry::Response& response, const HttpAddress& address,
                        std::string_view credential);

}  // namespace mybuild::source

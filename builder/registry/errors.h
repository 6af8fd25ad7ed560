// SPDX-License-Identifier: Apache-2.0
// What an HTTP status of a registry means as an Error. Thread-safe.
#pragma once

#include "builder/registry/transport.h"

#include <string>
#include <string_view>

namespace mybuild::registry {

/// Text from outside, safe to print: no control characters, cut to a line's length.
std::string printable(std::string_view text);
/// The first message of a registry's error document, else "".
std::string registry_message(const Response& response);
/// `what` names the request. 404 is NotFound, 401 and 403 Denied, 429 and 5xx Unavailable.
Error status_error(const Response& response, std::string_view what);
/// 401 or 403 from `host`, which the registry sent the request to.
Error redirect_denied(const Response& response, std::string_view what, std::string_view host);
/// Refuses a 2xx answer that is no JSON at all: a proxy's page, a login form. `url` is what was
/// asked.
Status expect_json(const Response& response, std::string_view url, std::string_view body);
/// Whether the same request may succeed a moment later.
bool worth_retrying(int status);

}  // namespace mybuild::registry

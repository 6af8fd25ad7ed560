// SPDX-License-Identifier: Apache-2.0
// The little of RFC 3986 that registries need. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace mybuild::registry {

std::string lower_case(std::string_view text);
/// For one value of a query: everything but unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);
/// What stands before "?" or "#"; signed links keep their secrets behind it.
std::string without_query(std::string_view url);
/// "https://host:port" of a URL; empty when it is not http or https, or names a user.
std::string origin_of(std::string_view url);

/// Where a Location header leads from `base`: it may be a whole URL, or lack the scheme or the
/// host. Empty when it is none of these.
std::string resolve_location(std::string_view base, std::string_view location);
/// Adds "name=value", the value encoded, to the URL's query.
std::string with_query(std::string url, std::string_view name, std::string_view value);

}  // namespace mybuild::registry

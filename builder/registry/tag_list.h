// SPDX-License-Identifier: Apache-2.0
// The tags of a repository, as registries list them: page by page. Inside builder/registry.
// Thread-safe.
#pragma once

#include "builder/registry/channel.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::registry {

/// distribution-spec, "Listing Tags". `what` names the repository.
Result<std::vector<std::string>> list_tags(Channel& channel, const Endpoint& endpoint,
                                           const std::string& what, const Cancel& cancel);

/// The path, with its query, of the page that a Link header calls the next one of `url`; "" when
/// there is none. Its host is not looked at: registries behind proxies do not know their own.
std::string next_page(std::string_view url, std::string_view link);

}  // namespace mybuild::registry

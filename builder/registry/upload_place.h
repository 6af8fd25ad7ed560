// SPDX-License-Identifier: Apache-2.0
// What uploads have in common, whichever way the bytes go: how a session begins, where its next
// request goes, and how much of the blob is there. Inside builder/registry. Thread-safe.
#pragma once

#include "builder/registry/channel.h"
#include "builder/registry/push.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::registry {

/// The request that asks for a session, or, with a query, for a mount.
Request begin_upload(const Endpoint& endpoint);
/// A session in one attempt, and its end where nothing was stored: the registry is asked once, not
/// where the build is cancelled.
Result<BegunUpload> begin_session(Channel& channel, const Endpoint& endpoint, const Cancel& cancel);
void forget_session(Channel& channel, const Endpoint& endpoint, const std::string& location,
                    const Cancel& cancel);
/// Where the request after the one to `asked` goes: as the answer says, else to `before`, where it
/// went so far. Over a network that must not be a place without TLS.
Result<std::string> next_place(const std::string& asked, const Response& answer,
                               const std::string& before);
/// What an answer says of the bytes that are there; nullopt when it says nothing.
std::optional<std::uint64_t> bytes_there(const Response& answer);
/// A decimal number and nothing else.
std::optional<std::uint64_t> number(std::string_view text);

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
// HEAD in plain HTTP to a server on this machine, without libcurl: what a build whose steps are all
// known asks a local registry, and for which the 36 libraries behind libcurl took longer to load
// than all the rest. Inside builder/registry. Thread-safe.
#pragma once

#include "builder/registry/transport.h"

#include <optional>

namespace mybuild::registry {

/// Whether ask_plainly() may be asked: no TLS, no proxy, no name to look up, no body either way.
bool is_plain_head(const Request& request);

/// The answer, as Transport::send() gives it. nullopt when it takes more than that to get it, or to
/// say why there is none: libcurl is to try, as if nothing had been sent. Fails with Cancelled,
/// Unavailable and ETIMEDOUT when no whole answer came in time, and with the sink's own error.
Result<std::optional<Response>> ask_plainly(const Request& request, BodySink& body,
                                            const Cancel& cancel);

}  // namespace mybuild::registry

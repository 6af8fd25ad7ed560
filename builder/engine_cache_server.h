// SPDX-License-Identifier: Apache-2.0
// The cache server of one build, as the engine starts and ends it. Inside builder.
#pragma once

#include "builder/cache_client/client.h"
#include "builder/secrets/known_values.h"
#include "builder/services.h"

#include <memory>

namespace mybuild::builder {

/// Null when no cache server is wanted. Layers with one of the known values stay here. What is
/// given outlives the client.
Result<std::unique_ptr<cache_client::CacheClient>> start_cache_client(
    Engine::Services& own, const BuildRequest& request, const secrets::KnownValues& known,
    solver::EventSink& events, Cancel& cancel);

/// What is not published yet at the end of the build is waited for, or given to a process of its
/// own. Never fails: what went wrong is a warning. `client` may be null.
void finish_cache_client(cache_client::CacheClient* client, const Engine::Services& own,
                         solver::EventSink& events);

}  // namespace mybuild::builder

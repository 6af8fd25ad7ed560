// SPDX-License-Identifier: Apache-2.0
// What --cache-from and --cache-to say, as buildx spells it. Pure, thread-safe.
#pragma once

#include "builder/remote_cache/spec.h"
#include "snapshotter/base/result.h"

#include <string_view>
#include <vector>

namespace mybuild::cli {

/// "type=registry,ref=…", "type=local,src=…[,tag=][,digest=]", or the short form REF, several of
/// them with commas between.
Result<std::vector<remote_cache::CacheSource>> parse_cache_from(std::string_view text);
/// "type=registry,ref=…", "type=local,dest=…", "type=inline", or the short form REF.
Result<std::vector<remote_cache::CacheTarget>> parse_cache_to(std::string_view text);

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// Names in the cache server's addresses. A namespace is a trust domain: it has its own records, its
// own key, and tokens that may write to it and to nothing else. It is a repository name too, as
// the layers of its records are blobs of that repository. Pure functions.
#pragma once

#include <string_view>

namespace mybuild::cache_server {

/// The grammar of repository names in the distribution spec 1.1, "Pulling manifests"; at most 255
/// bytes. The
/// names of namespaces follow it, too.
bool is_repository_name(std::string_view name);
/// Such a name without "blobs", "manifests", "referrers" or "tags" as one of its parts: what stands
/// behind those words in an address (distribution spec 1.1, "Endpoints") is no name to most who
/// read it, be they people or the rules of a proxy.
bool is_new_space_name(std::string_view name);
/// The grammar of tags there; at most 128 bytes.
bool is_tag_name(std::string_view name);
/// True when `repository` is `space` or stands below it ("team/main/app" below "team/main"). Every
/// repository stands below the namespace "".
bool is_below(std::string_view repository, std::string_view space);

}  // namespace mybuild::cache_server

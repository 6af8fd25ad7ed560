// SPDX-License-Identifier: Apache-2.0
// The registry's errors with the codes of the distribution spec 1.1 ("Error Codes"), and what its
// answers have in common. Pure functions.
#pragma once

#include "builder/cache_server/exchange.h"
#include "snapshotter/base/digest.h"

#include <string>
#include <string_view>

namespace mybuild::cache_server {

/// 401: who has no good token is asked for one.
Answer unauthorized();
/// 401, where anybody may read: most clients send what they know only to who asks for it, and the
/// Bearer challenge leads those who know nothing to a token, too (distribution's token protocol).
Answer unauthorized_anonymous(const Request& request);
/// At the address that the challenge names; the caller's own token, as there is no other kind.
Answer token_answer(const Request& request);
/// 403.
Answer denied(std::string_view message);
/// 405 DENIED: what something else needs is not deleted.
Answer still_needed(const Error& error);
Answer name_invalid(std::string_view name);
Answer name_unknown(std::string_view name);
Answer digest_invalid(const Error& error);
Answer blob_unknown(const Digest& digest);
Answer manifest_unknown(std::string_view reference);
Answer manifest_invalid(std::string_view message);
Answer manifest_blob_unknown(std::string_view message);

/// With an empty body.
Answer plain_answer(int status);
/// With the headers that say where a blob or manifest is from now on: 201.
Answer created(const std::string& location, const Digest& digest);

Answer answer_or_error(Result<Answer> answer);

std::string blob_address(const std::string& repository, const Digest& digest);
std::string manifest_address(const std::string& repository, const Digest& digest);
/// The value of a Link header ("Listing Tags"): `next` holds a path and a query.
std::string next_link(const std::string& next);

}  // namespace mybuild::cache_server

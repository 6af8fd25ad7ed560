// SPDX-License-Identifier: Apache-2.0
// MetaStore in one SQLite database, for a server that is alone with its state directory.
#pragma once

#include "builder/cache_server/store/meta_store.h"
#include "snapshotter/base/result.h"

#include <memory>
#include <string>

namespace mybuild::cache_server {

/// Makes the file if needed; Unsupported when it is of a newer mybuild, DataLoss when it is damaged
/// or something else's: what is in it is nowhere else, so it is left as it is. Nothing in it is
/// scanned, unless damage was met in it before.
/// The token verbs of the command line open it beside a server that runs.
Result<std::unique_ptr<MetaStore>> open_sqlite_meta_store(const std::string& path);
/// A database that nobody has used yet, or one whose log is lost with all that it had: no table is
/// there, or no namespace. False as well for what cannot be read.
bool has_no_keys(const std::string& path);
/// Damage that is met later, in the words of that DataLoss, and a full disk with what helps a
/// server; any other error as it is.
Error with_advice(const Error& error);
/// Somebody has met damage in it; the next who opens it looks through it.
bool is_marked_damaged(const std::string& path);

}  // namespace mybuild::cache_server

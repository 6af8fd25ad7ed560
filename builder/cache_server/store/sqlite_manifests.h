// SPDX-License-Identifier: Apache-2.0
// The manifests' half of RepositoryTables in SQLite, on a connection that the caller has locked.
// Thread-compatible.
#pragma once

#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/sqlite.h"

namespace mybuild::cache_server {

/// Within a transaction.
Status put_manifest_row(snapshotter::SqliteConnection& db, const ManifestRow& manifest,
                        const std::string& tag, std::int64_t now);
/// Within a transaction.
Result<bool> remove_manifest_row(snapshotter::SqliteConnection& db, const std::string& repository,
                                 const Digest& digest);
Result<std::optional<ManifestRow>> find_manifest_row(snapshotter::SqliteConnection& db,
                                                     const std::string& repository,
                                                     const Digest& digest);
Result<std::vector<ManifestRow>> referrer_rows(snapshotter::SqliteConnection& db,
                                               const std::string& repository, const Digest& subject,
                                               const std::string& artifact_type, const Digest& last,
                                               std::size_t limit);

}  // namespace mybuild::cache_server

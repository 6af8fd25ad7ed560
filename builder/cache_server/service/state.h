// SPDX-License-Identifier: Apache-2.0
// ServerState: the server's directory, opened: blobs/, cache.db, local-token. One server at a time
// has it; the token verbs open the database beside it.
#pragma once

#include "builder/cache_server/service/serve.h"
#include "builder/cache_server/store/blob_store.h"
#include "builder/cache_server/store/meta_store.h"
#include "snapshotter/base/file.h"

#include <memory>
#include <string>

namespace mybuild::cache_server {

class ServerState {
 public:
  /// Makes what is missing, the namespace kDefaultSpace included; scans nothing. AlreadyExists when
  /// another server has the directory, Denied when it is another user's, DataLoss when the database
  /// is damaged, or gone while what it speaks of is there: keys that clients know are not replaced
  /// by others in silence.
  static Result<std::unique_ptr<ServerState>> open(const std::string& directory);
  /// All that the database knows is in cache.db itself then.
  ~ServerState();
  ServerState(const ServerState&) = delete;
  ServerState& operator=(const ServerState&) = delete;
  MetaStore& meta() { return *meta_; }
  BlobStore& blobs() { return *blobs_; }
  const std::string& directory() const { return directory_; }
  /// Damage was met in the database; what else is wrong with it is found at the next start.
  bool is_damaged() const;
  /// The token for clients of the same user, made at the first call: it reads, writes and claims,
  /// everywhere. Its file is for its owner only.
  Result<std::string> local_token(Time now);

 private:
  ServerState(std::string directory, FileLock lock, std::unique_ptr<MetaStore> meta,
              std::unique_ptr<BlobStore> blobs);

  const std::string directory_;
  const FileLock lock_;
  const std::unique_ptr<MetaStore> meta_;
  const std::unique_ptr<BlobStore> blobs_;
};

Result<std::unique_ptr<ServerAdmin>> open_server_admin(const std::string& directory,
                                                       IfMissing if_missing);

}  // namespace mybuild::cache_server

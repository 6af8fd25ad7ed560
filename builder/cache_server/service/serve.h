// SPDX-License-Identifier: Apache-2.0
// What the command line knows of the cache server, which lives in mybuild-serve.so: one object,
// made by a function that is looked up by name. Both are built from one tree and installed
// together, so C++ objects may cross.
#pragma once

#include "builder/cache_server/access.h"
#include "builder/cache_server/store/access_tables.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::cache_server {

struct ServeOptions {
  std::string directory;  // the server's state, made if needed
  std::vector<std::string> listen;
  std::string tls_certificate;
  std::string tls_key;
  bool anonymous_read = false;
  bool log_requests = false;
  std::optional<std::uint64_t> max_size;                // bytes of blobs; else a share of the disk
  std::optional<std::uint64_t> max_size_per_namespace;  // else there is no such limit
  std::size_t max_connections = 10'000;
};

/// What `mybuild serve token` and its like do to a server's state, beside a server that runs or
/// without one.
class ServerAdmin {
 public:
  virtual ~ServerAdmin() = default;
  /// NotFound when the namespace does not exist.
  virtual Result<MadeToken> make_token(const NewToken& token) = 0;
  virtual Result<std::vector<TokenRow>> tokens() = 0;
  virtual Result<bool> revoke_token(const std::string& id) = 0;
  virtual Status make_space(const std::string& name, const std::string& parent) = 0;
  struct Space {
    std::string name;
    std::string parent;
    std::string key;  // public, as clients pin it
  };
  virtual Result<std::vector<Space>> spaces() = 0;
};

/// What is done about a directory without a server's state.
enum class IfMissing { Make, Fail };

class ServeModule {
 public:
  virtual ~ServeModule() = default;
  /// Until `cancel`. `say` gets lines for the log, from any thread.
  virtual Status serve(const ServeOptions& options, std::function<void(const std::string&)> say,
                       const Cancel& cancel) = 0;
  virtual Result<std::unique_ptr<ServerAdmin>> open_admin(const std::string& directory,
                                                          IfMissing if_missing) = 0;
};

using ServeModuleFactory = ServeModule*();
inline constexpr char kServeModuleFactory[] = "mybuild_make_serve_module";

}  // namespace mybuild::cache_server

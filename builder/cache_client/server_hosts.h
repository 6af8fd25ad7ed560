// SPDX-License-Identifier: Apache-2.0
// A HostTable for the blobs of one cache server: all repositories are there, whatever mirrors the
// user has for names of images. Thread-safe.
#pragma once

#include "builder/cache_client/address.h"
#include "builder/registry/hosts/host_table.h"

#include <memory>

namespace mybuild::cache_client {

/// `user`: what certificates and insecure hosts are looked up in; outlives the answer.
std::unique_ptr<registry::HostTable> make_server_hosts(const ServerAddress& address,
                                                       const registry::HostTable& user);

}  // namespace mybuild::cache_client

// SPDX-License-Identifier: Apache-2.0
// StreamedUpload: a blob whose digest is not known before its last byte (distribution-spec,
// "Pushing a blob in chunks"): one PATCH whose body has no length, as docker's client sends it,
// then a PUT with the digest. One attempt. Inside builder/registry. Thread-compatible.
#pragma once

#include "builder/registry/channel.h"
#include "builder/registry/push.h"

#include <string>

namespace mybuild::registry {

class StreamedUpload {
 public:
  /// The arguments outlive it.
  StreamedUpload(Channel& channel, const Endpoint& endpoint)
      : channel_(channel), endpoint_(endpoint) {}

  /// Success when the registry stored the blob.
  Status send(const BlobStream& stream, const Cancel& stop);
  /// Asks the registry once to forget what it has, where a send() failed.
  void drop(const Cancel& cancel);

 private:
  Status begin(const Cancel& stop);
  Status send_bytes(const BlobStream& stream, const Cancel& stop);
  Status end(const oci::Descriptor& blob, const Cancel& stop);
  Result<Response> ask(const Request& request, const Cancel& cancel);

  Channel& channel_;
  const Endpoint& endpoint_;
  std::string location_;                // of the session; empty: there is none
  std::optional<std::uint64_t> taken_;  // what the registry says that it has
};

}  // namespace mybuild::registry

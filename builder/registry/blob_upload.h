// SPDX-License-Identifier: Apache-2.0
// UploadSession: the bytes of one blob on their way to a registry (distribution-spec, "Pushing a
// blob monolithically" and "in chunks"). One PUT where that goes; what a broken connection left
// there is gone on from; where a body is too large for what stands before the registry, the blob
// goes in pieces. Inside builder/registry. Thread-compatible.
#pragma once

#include "builder/registry/channel.h"
#include "builder/registry/push.h"

#include <cstdint>
#include <string>

namespace mybuild::registry {

class UploadSession {
 public:
  /// The arguments outlive it.
  UploadSession(Channel& channel, const Endpoint& endpoint, const BlobUpload& upload)
      : channel_(channel), endpoint_(endpoint), upload_(upload) {
    if (upload.begun) {
      location_ = upload.begun->location;
      least_piece_ = upload.begun->least_piece;
      is_unused_ = true;
    }
  }

  /// Sends what the registry does not have yet. The last answer: 2xx when the blob is stored.
  Result<Response> attempt(const Cancel& cancel);
  /// Whether another attempt goes another way than the one that ended so: with smaller pieces after
  /// a 413, from the start where the registry refused to go on or lost the session.
  bool can_adapt(const Result<Response>& ended);
  /// How much more was there when the last attempt began than before any other.
  std::uint64_t progress() const { return progress_; }

 private:
  Status find_what_is_there(const Cancel& cancel);
  Result<Response> begin(const Cancel& cancel);
  Result<Response> send_whole(const Cancel& cancel);
  Result<Response> send_pieces(const Cancel& cancel);
  Request part(std::string method, std::string url, std::uint64_t size) const;
  Result<Response> send(const Request& request, const Cancel& cancel);
  bool use_smaller_pieces();
  void forget();

  Channel& channel_;
  const Endpoint& endpoint_;
  const BlobUpload& upload_;
  std::string location_;        // where the next request goes; empty: no session
  std::uint64_t offset_ = 0;    // so much is there
  std::uint64_t furthest_ = 0;  // so much was there once
  std::uint64_t progress_ = 0;
  std::uint64_t piece_ = 0;        // 0: all that is left in one body
  std::uint64_t least_piece_ = 0;  // the registry's wish
  bool is_unused_ = false;   // the session was begun for us, and nothing was sent in it so far
  bool was_unused_ = false;  // … when the last attempt began
  bool went_on_ = false;     // the last attempt had an earlier one's bytes before it
  bool may_go_on_ = true;
  int restarts_ = 0;
};

}  // namespace mybuild::registry

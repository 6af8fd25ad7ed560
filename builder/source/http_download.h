// SPDX-License-Identifier: Apache-2.0
// HttpDownload: one file by GET into the content store: what failed and may pass is tried again,
// from where it broke if the server says that the file is still the same. Inside builder/source.
// Thread-compatible; for one download.
#pragma once

#include "builder/source/http_address.h"
#include "builder/source/http_body.h"

#include <chrono>
#include <string>
#include <vector>

namespace mybuild::source {

struct HttpLimits {
  std::uint64_t max_size = std::uint64_t{64} << 30U;
  std::chrono::seconds stall{30};  // no byte for so long ends an attempt
};

struct HttpQuestion {
  HttpAddress address;
  std::string authorization;  // value of the header; "" = none is sent
  std::string credential;     // its name, for messages
  // Of the file that the store has; "" when there is none, or nothing to tell it by.
  std::string known_etag;
  std::string known_since;
};

struct HttpAnswer {
  bool is_unchanged = false;  // the file that the store has; the rest is empty then
  snapshotter::BlobInfo blob;
  std::string etag;
  std::string last_modified;
};

class HttpDownload {
 public:
  HttpDownload(registry::Transport& transport, snapshotter::ContentStore& content,
               HttpQuestion question, HttpLimits limits, HttpBody::OnProgress on_progress)
      : transport_(transport),
        question_(std::move(question)),
        limits_(limits),
        body_({content, question_.known_etag, limits.max_size, std::move(on_progress)}) {}

  /// Once. Errors name the URL.
  Result<HttpAnswer> run(const Cancel& cancel);

 private:
  registry::Request next_request() const;
  bool is_unchanged(const Result<registry::Response>& response);
  /// Waits if another attempt may help; else returns why there is none.
  Status prepare_next(const Result<registry::Response>& response, const Cancel& cancel);
  Error failure(const Result<registry::Response>& response) const;

  registry::Transport& transport_;
  const HttpQuestion question_;
  const HttpLimits limits_;
  HttpBody body_;
  bool asks_conditionally_ = true;
  int failures_ = 0;
  std::uint64_t mark_ = 0;  // how far the resumed download was when failures were counted anew
};

}  // namespace mybuild::source

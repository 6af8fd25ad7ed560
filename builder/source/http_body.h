// SPDX-License-Identifier: Apache-2.0
// HttpBody: where the answer to a GET goes: decoded if it is encoded, hashed, into a draft of the
// content store, over as many attempts as it takes. Inside builder/source. Thread-compatible.
#pragma once

#include "builder/registry/transport.h"
#include "snapshotter/archive/gzip_decoder.h"
#include "snapshotter/content/content_store.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mybuild::source {

/// Whether two entity tags name the same file; that one is weak does not matter.
bool same_etag(std::string_view a, std::string_view b);

class HttpBody final : public registry::BodySink {
 public:
  /// Bytes of the file; `total` is 0 when it is not known. Called often.
  using OnProgress = std::function<void(std::uint64_t current, std::uint64_t total)>;
  struct Setup {
    snapshotter::ContentStore& content;
    std::string known_etag;  // an answer with it is not read; may be empty
    std::uint64_t max_size;
    OnProgress on_progress;
  };
  explicit HttpBody(Setup setup) : setup_(std::move(setup)), draft_(*this) {}
  HttpBody(const HttpBody&) = delete;
  HttpBody& operator=(const HttpBody&) = delete;

  Status begin(const registry::Response& response) override;
  Status write(ByteSpan bytes) override;

  /// The server would send what we have.
  bool is_known() const { return is_known_; }
  /// What made begin() or write() fail: no other attempt can help then.
  const std::optional<Error>& refusal() const { return refusal_; }
  /// An answer has begun, and how much of it came.
  bool has_begun() const { return draft_.ingest != nullptr; }
  std::uint64_t received() const { return received_; }
  std::optional<std::uint64_t> length() const { return length_; }
  /// With which strong tag the rest can be asked for; "" when only all of it can.
  std::string resume_tag() const;
  /// The next answer starts over.
  void forget() { received_ = 0; }

  const std::string& etag() const { return etag_; }
  const std::string& last_modified() const { return last_modified_; }
  /// After a complete answer. Once.
  Result<snapshotter::BlobInfo> commit();

 private:
  /// The bytes of the file itself.
  struct Draft final : Sink {
    explicit Draft(HttpBody& owner) : body(owner) {}
    Status write(ByteSpan bytes) override;
    HttpBody& body;
    std::unique_ptr<snapshotter::Ingest> ingest;
    std::uint64_t size = 0;
  };

  Status start_over(const registry::Response& response);
  Status check_rest(const registry::Response& response) const;
  Error too_large() const;
  Status refuse(Status status);

  const Setup setup_;
  Draft draft_;
  std::optional<snapshotter::GzipDecoder> gzip_;
  std::string encoding_;
  std::string etag_;
  std::string last_modified_;
  std::optional<std::uint64_t> length_;  // of the answer as it is sent
  std::uint64_t received_ = 0;           // of it
  bool is_known_ = false;
  std::optional<Error> refusal_;
};

}  // namespace mybuild::source

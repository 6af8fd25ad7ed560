// SPDX-License-Identifier: Apache-2.0
// The seam between HTTP and what the server does: a Request, an Exchange that takes its body as it
// comes, an Answer. Handlers never see a socket, so tests call them as they are; http/ knows
// nothing but this.
#pragma once

#include "builder/cache_server/access.h"
#include "builder/cache_server/store/blob_store.h"
#include "snapshotter/base/bytes.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mybuild::cache_server {

/// A value type.
struct Request {
  std::string method;                          // "GET"
  std::string path;                            // percent-decoded, begins with a slash
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in lower case; of equal ones the last
  std::optional<std::uint64_t> body_size;      // as Content-Length says it
  std::string host;                            // as the client calls us, for absolute addresses
  bool is_tls = false;
  Caller caller;

  std::string header(const std::string& lower_case_name) const;  // "" when missing
  std::string parameter(const std::string& name) const;          // of the query; "" when missing
};

/// Bytes [offset, offset + size) of a blob.
struct BlobRange {
  std::shared_ptr<BlobReader> blob;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// A value type. To HEAD it goes without its body, with the length that the body has.
struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // all but Content-Length
  std::variant<std::string, BlobRange> body;
  std::string note{};  // for the server's log; the client doesn't get it

  std::uint64_t body_size() const;
  Answer& with(std::string name, std::string value);
};

/// An answer that has to wait for something. Thread-safe.
class PendingAnswer {
 public:
  virtual ~PendingAnswer() = default;
  /// nullopt: not yet.
  virtual std::optional<Answer> poll() = 0;
  /// From now on `wake` is called when poll() may say more; from any thread, maybe at once, and not
  /// after the object has gone.
  virtual void subscribe(std::function<void()> wake) = 0;
  /// When to poll() at the latest. Without an answer then there is a later time; in the end there
  /// is an answer, whatever happened.
  virtual std::chrono::steady_clock::time_point deadline() const = 0;
};

using Outcome = std::variant<Answer, std::unique_ptr<PendingAnswer>>;

/// One request being served: write() takes the body, piece by piece, then finish() answers. An
/// error of write() is as final as an answer: the connection ends after it. The destructor throws
/// away what was not finished. Thread-compatible; calls may block on the disk.
class Exchange : public Sink {
 public:
  /// An answer that needs no body: it goes out before one is read (Expect: 100-continue), and who
  /// sent a body nevertheless is hung up on.
  virtual std::optional<Answer> refusal() { return std::nullopt; }
  /// Bytes that it may come to hold; the server has only so many for all requests.
  virtual std::size_t memory() const { return 0; }
  virtual Outcome finish() = 0;
};

/// Serves one kind of address. Thread-safe.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual std::unique_ptr<Exchange> begin(Request request) = 0;
};

/// Of requests that need no body: whatever comes of one is dropped. `answer` is called by finish().
std::unique_ptr<Exchange> answer_with(std::function<Outcome()> answer);
/// Refuses before the body.
std::unique_ptr<Exchange> refuse_with(Answer answer);
/// Gathers a body of `limit` bytes at most, 413 beyond, and gives it to `answer`.
std::unique_ptr<Exchange> gather(std::size_t limit, std::optional<std::uint64_t> announced,
                                 std::function<Outcome(std::string body)> answer);

/// {"errors":[{"code","message"}]} as the distribution spec wants it ("Error Codes"); the same form
/// for all addresses.
Answer error_answer(int status, std::string_view code, std::string_view message);
/// By its kind: a full disk (ENOSPC) or cache (EDQUOT) is 507, what is not there 404, and so on.
/// What is the server's own business is told to the log only.
Answer error_answer(const Error& error);
/// 405, of addresses that exist; `allowed` is for the Allow header.
Answer unsupported_method(std::string_view allowed);
Answer json_answer(int status, std::string json);

}  // namespace mybuild::cache_server

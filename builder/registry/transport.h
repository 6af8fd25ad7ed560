// SPDX-License-Identifier: Apache-2.0
// Transport: one HTTP request and its answer; below the registry client, so that tests can stand
// in. Thread-safe.
#pragma once

#include "builder/registry/tls.h"
#include "snapshotter/base/bytes.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/result.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::registry {

/// A body that is read while it is sent.
struct BodyStream {
  std::function<Result<std::unique_ptr<Source>>()> open;  // again when it must be sent again
  std::optional<std::uint64_t> size;                      // nullopt: sent in chunks
};

struct Request {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::optional<BodyStream> stream;  // instead of `body`
  bool follow_redirects = true;      // credentials are not sent to another host
  std::chrono::seconds stall{30};    // no byte for so long: Unavailable
  /// After so long less than a KiB a second on the whole is Unavailable, too: nobody holds a build
  /// with a byte now and then. nullopt: he may.
  std::optional<std::chrono::seconds> patience = std::chrono::seconds(60);
  std::shared_ptr<const TlsSettings> tls = {};  // null: nothing but what the system says
  std::string unix_socket = {};  // its path, in the place of the URL's host; "": the network
  /// For all of it, from the connection to the last byte; then Unavailable. nullopt: no such limit.
  std::optional<std::chrono::milliseconds> timeout = {};
};

struct Response {
  int status = 0;
  std::string reason;  // the server's words for it; HTTP/2 has none
  std::string origin;  // of who answered, where redirects ended; "" when nobody said
  std::map<std::string, std::string> headers;  // names in lower case, the last answer's only
  std::string error_text;  // body of an answer that is not 2xx, its first 64 KiB
  bool ok() const { return status >= 200 && status < 300; }
  std::string header(const std::string& lower_case_name) const;  // "" when missing
};

/// Takes the body of a 2xx answer; nothing of any other one.
class BodySink : public Sink {
 public:
  /// Once, with status and headers, before the first write(). An error ends the request.
  virtual Status begin(const Response& response) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  /// Fails with Unavailable when no complete answer came (refused, reset, name not found; with
  /// ETIMEDOUT when it was too slow), Denied when TLS did not verify, Cancelled on `cancel`, with
  /// the sink's own error when that refuses the bytes, and with the stream's own error when that
  /// cannot be read.
  virtual Result<Response> send(const Request& request, BodySink& body, const Cancel& cancel) = 0;
  /// Does now what the first send() would have to do before it can send.
  virtual void load() {}
};

/// libcurl, loaded from mybuild-net.so beside the binary at the first send() that needs it: what is
/// asked of a plain registry on this machine does not.
enum class LocalRequests { WithoutLibcurl, ByLibcurl };
std::unique_ptr<Transport> make_lazy_curl_transport(
    LocalRequests local = LocalRequests::WithoutLibcurl);

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/upload_place.h"

#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/url.h"

#include <charconv>

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;
/// Nobody waits long for a courtesy.
constexpr std::chrono::seconds kFarewell{2};

}  // namespace

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

/// "0-N": so many bytes are there. Registries say "0-0" of an empty session, too.
std::optional<std::uint64_t> bytes_there(const Response& answer) {
  std::string range = answer.header("range");
  if (range.starts_with("bytes=")) {
    range.erase(0, 6);
  }
  if (!range.starts_with("0-")) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> last = number(std::string_view(range).substr(2));
  return last && *last > 0 ? std::optional(*last + 1) : std::nullopt;
}

Result<std::string> next_place(const std::string& asked, const Response& answer,
                               const std::string& before) {
  const std::string header = answer.header("location");
  if (header.empty() && !before.empty()) {
    return before;
  }
  std::string url = resolve_location(asked, header);
  if (url.empty() || (asked.starts_with("https:") && !url.starts_with("https:"))) {
    return invalid_argument("the registry wants the upload at \"{}\"{}",
                            printable(without_query(header)),
                            url.empty() ? "" : ", which is not https");
  }
  return url;
}

Request begin_upload(const Endpoint& endpoint) {
  Request request;
  request.method = "POST";
  request.url = endpoint.api() + "/blobs/uploads/";
  request.follow_redirects = false;
  return request;
}

Result<BegunUpload> begin_session(Channel& channel, const Endpoint& endpoint,
                                  const Cancel& cancel) {
  const Endpoint settled = TRY(channel.settled(endpoint, cancel));
  const Request request = begin_upload(settled);
  TextBody body(kMaxAnswer);
  const Response begun = TRY(channel.send(request, endpoint, push_scope(endpoint), body, cancel));
  if (begun.status != 202) {
    return status_error(begun, "begin an upload");
  }
  BegunUpload upload;
  upload.location = TRY(next_place(request.url, begun, {}));
  upload.least_piece = number(begun.header("oci-chunk-min-length")).value_or(0);
  return upload;
}

void forget_session(Channel& channel, const Endpoint& endpoint, const std::string& location,
                    const Cancel& cancel) {
  if (cancel.requested()) {
    return;
  }
  Request request;
  request.method = "DELETE";
  request.url = location;
  request.follow_redirects = false;
  request.timeout = kFarewell;
  TextBody body(kMaxAnswer);
  static_cast<void>(channel.send(request, endpoint, push_scope(endpoint), body, cancel));
}

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/upload_place.h"

#include "builder/registry/errors.h"
#include "builder/registry/url.h"

#include <charconv>

namespace mybuild::registry {

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

}  // namespace mybuild::registry

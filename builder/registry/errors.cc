// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/errors.h"

#include "snapshotter/base/json.h"

#include <algorithm>

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxPrintable = 300;

struct Meaning {
  int status;
  ErrorKind kind;
  std::string_view words;
};
constexpr Meaning kMeanings[] = {
    {401, ErrorKind::Denied, "the registry denies access"},
    {403, ErrorKind::Denied, "the registry denies access"},
    {404, ErrorKind::NotFound, "not in the registry"},
    {408, ErrorKind::Unavailable, "the registry gave up waiting"},
    {410, ErrorKind::NotFound, "not in the registry any more"},
    {413, ErrorKind::InvalidArgument,
     "the registry, or what stands before it, takes no body so large"},
    {416, ErrorKind::DataLoss, "the registry has fewer bytes than it promised"},
    {429, ErrorKind::Unavailable, "the registry limits our rate of requests"},
};

Result<std::string> first_message(const std::string& document) {
  const Json json = TRY(parse_json(document));
  const JsonField root(json, "");
  const std::vector<JsonField> errors = TRY(TRY(root.field("errors")).items());
  if (errors.empty()) {
    return TRY(root.field("details"))
    .string_or("");
  }
  return TRY(errors.front().field("message"))
  .string_or("");
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text.substr(0, kMaxPrintable)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    result += control ? ' ' : c;
  }
  return result;
}

std::string registry_message(const Response& response) {
  return printable(first_message(response.error_text).value_or(""));
}

Error status_error(const Response& response, std::string_view what) {
  ErrorKind kind = response.status >= 500 ? ErrorKind::Unavailable : ErrorKind::InvalidArgument;
  std::string words = "the registry refuses the request";
  if (response.status >= 500) {
    words = "the registry has a problem of its own";
  }
  for (const Meaning& meaning : kMeanings) {
    if (meaning.status == response.status) {
      kind = meaning.kind;
      words = meaning.words;
    }
  }
  const std::string message = registry_message(response);
  return make_error(kind, "{}: {} (status {}{}{})", what, words, response.status,
                    message.empty() ? "" : ", ", message);
}

Error redirect_denied(const Response& response, std::string_view what, std::string_view host) {
  const std::string message = registry_message(response);
  return make_error(ErrorKind::Denied,
                    "{}: {}, where the registry redirects to, denies access (status {}{}{})", what,
                    printable(host), response.status, message.empty() ? "" : ", ", message)
      .with_hint("that is no question of a login here; whoever runs the registry can tell");
}

Status expect_json(const Response& response, std::string_view url, std::string_view body) {
  constexpr std::size_t kShown = 80;
  const std::size_t start = std::min(body.find_first_not_of(" \t\r\n"), body.size());
  body.remove_prefix(start);
  if (body.starts_with('{')) {
    return {};
  }
  const std::string type = printable(response.header("content-type"));
  const std::string front = printable(body.substr(0, kShown));
  return invalid_argument("{} answered with {} instead of JSON: {}{}", printable(url),
                          type.empty() ? "an unnamed content type" : type,
                          body.empty() ? "nothing" : front, body.size() > kShown ? "…" : "")
      .with_hint("is this the address of a registry, and does no proxy stand in front of it?");
}

bool worth_retrying(int status) {
  return status == 408 || status == 429 || status >= 500;
}

}  // namespace mybuild::registry

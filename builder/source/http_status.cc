// SPDX-License-Identifier: Apache-2.0
#include "builder/source/http_status.h"

#include "builder/registry/errors.h"

namespace mybuild::source {

namespace {

struct Meaning {
  int status;
  ErrorKind kind;
  std::string_view words;  // when the server has none: HTTP/2 does not carry them
};
constexpr Meaning kMeanings[] = {
    {400, ErrorKind::InvalidArgument, "bad request"},
    {401, ErrorKind::Denied, "unauthorized"},
    {403, ErrorKind::Denied, "forbidden"},
    {404, ErrorKind::NotFound, "not found"},
    {408, ErrorKind::Unavailable, "request timeout"},
    {410, ErrorKind::NotFound, "gone"},
    {429, ErrorKind::Unavailable, "too many requests"},
    {500, ErrorKind::Unavailable, "internal server error"},
    {502, ErrorKind::Unavailable, "bad gateway"},
    {503, ErrorKind::Unavailable, "service unavailable"},
    {504, ErrorKind::Unavailable, "gateway timeout"},
};

Meaning meaning_of(int status) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.status == status) {
      return meaning;
    }
  }
  return {status, status >= 500 ? ErrorKind::Unavailable : ErrorKind::InvalidArgument, ""};
}

/// The first line of an answer that is meant for reading, not of a page.
std::string explanation(const registry::Response& response) {
  constexpr std::size_t kLongest = 120;
  const std::string_view text = response.error_text;
  if (!response.header("content-type").starts_with("text/plain")) {
    return {};
  }
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return line.size() > kLongest ? std::string() : registry::printable(line);
}

std::string hint_for(ErrorKind kind, const HttpAddress& address, std::string_view credential) {
  switch (kind) {
    case ErrorKind::Denied:
      return credential.empty()
                 ? fmt::format(
                       "give a login: --secret id=HTTP_AUTH_TOKEN_{0},src=FILE with a "
                       "bearer token, or id=HTTP_AUTH_HEADER_{0} with a whole "
                       "Authorization header",
                       address.host)
                 : fmt::format("the server does not accept {}", credential);
    case ErrorKind::NotFound:
      return "is the URL right? `curl -I URL` shows what the server says to it";
    case ErrorKind::Unavailable:
      return "it was asked several times; the server has a problem of its own, try again later";
    default:
      return {};
  }
}

}  // namespace

Error http_status_error(const registry::Response& response, const HttpAddress& address,
                        std::string_view credential) {
  const Meaning meaning = meaning_of(response.status);
  const std::string reason = registry::printable(response.reason);
  const std::string more = explanation(response);
  return make_error(meaning.kind, "GET {}: the server answers {}{}{}{}{}", address.shown,
                    response.status, reason.empty() && meaning.words.empty() ? "" : " ",
                    reason.empty() ? meaning.words : reason, more.empty() ? "" : ": ", more)
      .with_hint(hint_for(meaning.kind, address, credential));
}

}  // namespace mybuild::source

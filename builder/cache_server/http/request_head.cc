// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/request_head.h"

#include <fmt/format.h>

#include <algorithm>

namespace mybuild::cache_server {

namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

struct Reason {
  int status;
  std::string_view text;
};
constexpr Reason kReasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

/// Values come from what clients said: none may begin another line.
std::string on_one_line(std::string value) {
  std::replace_if(value.begin(), value.end(), is_control, ' ');
  return value;
}

/// "a=1&b=2" into `query`; of equal names the last one counts.
bool set_query(Request& request, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string value(pair.substr(std::min(equals + 1, pair.size())));
    std::replace(value.begin(), value.end(), '+', ' ');
    const auto name = percent_decoded(pair.substr(0, equals));
    const auto decoded = percent_decoded(value);
    if (!name || !decoded) {
      return false;
    }
    request.query[*name] = *decoded;
  }
  return true;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = text.size() - i > 2 ? hex_value(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
      if (low < 0) {
        return std::nullopt;
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (is_control(c)) {
      return std::nullopt;
    }
    decoded.push_back(c);
  }
  return decoded;
}

bool set_target(Request& request, std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  const auto path = percent_decoded(target.substr(0, mark));
  if (!path || !path->starts_with('/')) {
    return false;
  }
  request.path = *path;
  return set_query(request, target.substr(std::min(mark + 1, target.size())));
}

std::string_view reason_of(int status) {
  const auto* reason = std::find_if(std::begin(kReasons), std::end(kReasons),
                                    [&](const Reason& each) { return each.status == status; });
  return reason == std::end(kReasons) ? "Unknown" : reason->text;
}

std::string head_of(const Answer& answer, bool keep_alive) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", answer.status, reason_of(answer.status));
  for (const auto& [name, value] : answer.headers) {
    head += name + ": " + on_one_line(value) + "\r\n";
  }
  if (answer.status != 204) {
    head += fmt::format("Content-Length: {}\r\n", answer.body_size());
  }
  head += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return head;
}

}  // namespace mybuild::cache_server

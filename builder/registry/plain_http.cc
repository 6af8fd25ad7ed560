// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/plain_http.h"

#include "builder/registry/http_text.h"
#include "builder/registry/plain_socket.h"
#include "builder/registry/url.h"
#include "snapshotter/base/log.h"
#include "snapshotter/oci/reference.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace mybuild::registry {

namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::size_t kMaxErrorText = 64 << 10;
constexpr std::size_t kMaxIdle = 16;
/// Goes out in one piece, so that an answer that comes before its end need not be listened for.
constexpr std::uint64_t kMostSent = 64 << 10;
constexpr std::size_t kMaxLine = 4 << 10;  // of a chunk

/// "host:port" of a URL that PlainHttp takes.
std::string host_of(const std::string& url) {
  return origin_of(url).substr(kScheme.size());
}

bool is_question(const Request& request) {
  return request.method == "GET" || request.method == "HEAD";
}

bool has_header(const Request& request, std::string_view lower_case_name) {
  return std::any_of(request.headers.begin(), request.headers.end(), [&](const std::string& line) {
    return lower_case(line.substr(0, line.find(':'))) == lower_case_name;
  });
}

std::optional<std::uint64_t> number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool is_whole = code == std::errc() && end == text.data() + text.size() && !text.empty();
  return is_whole ? std::optional(value) : std::nullopt;
}

/// nullopt: the body is not what was promised.
std::optional<std::string> body_of(const Request& request) {
  if (!request.stream) {
    return request.body;
  }
  auto source = request.stream->open();
  if (!source) {
    return std::nullopt;
  }
  Result<std::string> text = read_all(**source, kMostSent + 1);
  const bool is_whole = text && text->size() == request.stream->size;
  return is_whole ? std::optional(std::move(*text)) : std::nullopt;
}

std::string text_of(const Request& request, const std::string& body) {
  const std::string host = host_of(request.url);
  std::string text =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n", request.method,
                  request.url.substr(kScheme.size() + host.size()), host, user_agent());
  for (const std::string& header : request.headers) {
    if (is_one_line(header)) {
      text += header + "\r\n";
    }
  }
  if (!has_header(request, "accept")) {
    text += "Accept: */*\r\n";
  }
  if (!body.empty() && !has_header(request, "content-type")) {
    text += "Content-Type: application/x-www-form-urlencoded\r\n";
  }
  if (!is_question(request)) {
    text += fmt::format("Content-Length: {}\r\n", body.size());
  }
  return text + "\r\n" + body;
}

/// nullopt: not what HTTP/1 is.
std::optional<Response> parse_head(std::string_view head) {
  const std::string_view status_line = head.substr(0, head.find("\r\n"));
  Response response;
  if (!status_line.starts_with("HTTP/1.") || status_line.size() < 12) {
    return std::nullopt;
  }
  const char* const digits = status_line.data() + 9;  // behind "HTTP/1.1 "
  const auto [at, bad] = std::from_chars(digits, digits + 3, response.status);
  if (bad != std::errc() || at != digits + 3) {
    return std::nullopt;
  }
  response.reason = reason_of(status_line);
  for (std::size_t start = status_line.size(); start < head.size();) {
    start += 2;
    const std::size_t end = std::min(head.find("\r\n", start), head.size());
    add_header(response, head.substr(start, end - start));
    start = end;
  }
  return response;
}

bool leads_elsewhere(const Request& request, const Response& response) {
  return request.follow_redirects && response.status >= 300 && response.status < 400 &&
         response.headers.contains("location");
}

/// One request and its answer over one connection.
class Exchange {
 public:
  Exchange(const Request& request, BodySink& body, const WaitLimits& limits, Fd socket)
      : request_(request), body_(body), socket_(std::move(socket), limits) {}

  Result<std::optional<Response>> run(const std::string& text) {
    TRY(socket_.send(text));
    std::optional<Response> response = TRY(read_head());
    const std::optional<Framing> framing = response ? framing_of(*response) : std::nullopt;
    if (!framing || leads_elsewhere(request_, *response)) {
      return not_ours();
    }
    response->origin = origin_of(request_.url);
    if (response->ok()) {
      TRY(body_.begin(*response));
    }
    TRY(read_body(*framing, *response));
    log::debug("{} {}: {}", request_.method, without_query(request_.url), response->status);
    return response;
  }

  /// It was closed before we came.
  bool was_stale() const { return !socket_.has_begun(); }
  /// For the next request; empty where it is at an end.
  Fd release() { return is_reusable_ && socket_.there().empty() ? socket_.release() : Fd(); }

 private:
  struct Framing {
    enum class Kind { Length, Chunks, ToTheEnd } kind = Kind::Length;
    std::uint64_t length = 0;
  };

  Error broken(std::string_view why) const {
    return make_error(ErrorKind::Unavailable, "{} {}: {}", request_.method,
                      without_query(request_.url), why);
  }

  Result<std::optional<Response>> not_ours() const {
    if (is_question(request_)) {
      return std::optional<Response>();
    }
    return broken(was_stale() ? "the connection ended without an answer"
                              : "the answer is not one of HTTP/1.1");
  }

  /// The last one: others only say that it is going to come.
  Result<std::optional<Response>> read_head() {
    for (;;) {
      const auto head = TRY(read_to(kEndOfHead, kMaxHeaderBytes));
      std::optional<Response> response = head ? parse_head(*head) : std::nullopt;
      const bool is_last = !response || response->status >= 200 || response->status == 101;
      if (is_last || is_question(request_)) {
        const bool is_answer = response && response->status >= 200;
        version_ = head ? head->substr(0, 8) : "";
        return is_answer ? response : std::nullopt;
      }
    }
  }

  /// What stands before `mark`, which is taken, too. nullopt: it does not come.
  Result<std::optional<std::string>> read_to(std::string_view mark, std::size_t most) {
    for (std::size_t searched = 0;;) {
      const std::string_view there = socket_.there();
      if (const std::size_t end = there.find(mark, searched); end != std::string_view::npos) {
        std::string text(there.substr(0, end));
        socket_.drop(end + mark.size());
        return std::optional(std::move(text));
      }
      searched = there.size() - std::min(there.size(), mark.size() - 1);
      if (there.size() > most || !TRY(socket_.fill())) {
        return std::optional<std::string>();
      }
    }
  }

  /// RFC 9112, 6.3. nullopt: it contradicts itself.
  std::optional<Framing> framing_of(const Response& response) {
    const std::string connection = lower_case(response.header("connection"));
    is_reusable_ = version_ == "HTTP/1.1" && connection.find("close") == std::string::npos;
    if (request_.method == "HEAD" || response.status == 204 || response.status == 304) {
      return Framing();
    }
    const std::string coding = lower_case(response.header("transfer-encoding"));
    const std::string length = response.header("content-length");
    if (!coding.empty()) {
      return coding == "chunked"
                 ? std::optional(Framing{.kind = Framing::Kind::Chunks, .length = 0})
                 : std::nullopt;
    }
    if (length.empty()) {
      is_reusable_ = false;
      return Framing{.kind = Framing::Kind::ToTheEnd, .length = 0};
    }
    const auto bytes = number(length, 10);
    return bytes ? std::optional(Framing{.kind = Framing::Kind::Length, .length = *bytes})
                 : std::nullopt;
  }

  Status read_body(const Framing& framing, Response& response) {
    switch (framing.kind) {
      case Framing::Kind::Length:
        return read_part(framing.length, response);
      case Framing::Kind::Chunks:
        return read_chunks(response);
      case Framing::Kind::ToTheEnd:
        break;
    }
    do {
      TRY(pass_on(socket_.there().size(), response));
    } while (TRY(socket_.fill()));
    return {};
  }

  Status read_part(std::uint64_t left, Response& response) {
    const std::uint64_t all = left;
    while (left > 0 && !is_cut_) {
      if (socket_.there().empty() && !TRY(socket_.fill())) {
        return broken(fmt::format("the answer ended after {} of {} bytes", all - left, all));
      }
      const auto count =
          static_cast<std::size_t>(std::min<std::uint64_t>(left, socket_.there().size()));
      TRY(pass_on(count, response));
      left -= count;
    }
    return {};
  }

  Status read_chunks(Response& response) {
    for (;;) {
      const auto line = TRY(read_to("\r\n", kMaxLine));
      const auto size =
          line ? number(line->substr(0, line->find_first_of("; \t")), 16) : std::nullopt;
      if (!size) {
        return broken("the answer ended after a part of it");
      }
      TRY(read_part(*size, response));
      if (is_cut_) {
        return {};
      }
      if (*size == 0) {
        return read_trailer();
      }
      if (TRY(read_to("\r\n", kMaxLine)) != "") {
        return broken("the answer ended after a part of it");
      }
    }
  }

  Status read_trailer() {
    for (;;) {
      const auto line = TRY(read_to("\r\n", kMaxLine));
      if (!line) {
        return broken("the answer ended after a part of it");
      }
      if (line->empty()) {
        return {};
      }
    }
  }

  Status pass_on(std::size_t count, Response& response) {
    const std::string_view bytes = socket_.there().substr(0, count);
    if (response.ok()) {
      TRY(body_.write(as_bytes(bytes)));
    } else {
      response.error_text += bytes.substr(0, kMaxErrorText - response.error_text.size());
      is_cut_ = response.error_text.size() == kMaxErrorText;
      is_reusable_ = is_reusable_ && !is_cut_;
    }
    socket_.drop(count);
    return {};
  }

  const Request& request_;
  BodySink& body_;
  PlainSocket socket_;
  std::string version_;
  bool is_reusable_ = false;
  bool is_cut_ = false;  // nobody reads that much of an error
};

}  // namespace

bool PlainHttp::takes(const Request& request) {
  const auto is_strange = [](char c) { return c <= ' ' || c == '#' || c == 0x7f; };
  const std::string origin = origin_of(request.url);
  const bool is_small = request.stream ? request.stream->size && *request.stream->size <= kMostSent
                                       : request.body.size() <= kMostSent;
  const bool has_body = request.stream || !request.body.empty();
  return is_small && (is_question(request) ? !has_body : !request.follow_redirects) &&
         request.unix_socket.empty() && origin.starts_with(kScheme) &&
         oci::is_loopback(origin.substr(kScheme.size())) && request.url.starts_with(origin + "/") &&
         std::none_of(request.url.begin(), request.url.end(), is_strange);
}

Result<std::optional<Response>> PlainHttp::send(const Request& request, BodySink& body,
                                                const Cancel& cancel) {
  TRY(cancel.check());
  const std::optional<std::string> bytes = body_of(request);
  if (!bytes) {
    return std::optional<Response>();
  }
  const std::string text = text_of(request, *bytes);
  const std::string origin = origin_of(request.url);
  const WaitLimits limits(request, cancel);
  Fd kept = take(origin);
  for (bool is_fresh = !kept;; is_fresh = true) {
    Fd socket = is_fresh ? TRY(connect_here(host_of(request.url), limits)) : std::move(kept);
    if (!socket) {
      return std::optional<Response>();
    }
    Exchange exchange(request, body, limits, std::move(socket));
    Result<std::optional<Response>> answer = exchange.run(text);
    if (!is_fresh && exchange.was_stale() && (!answer || !*answer) && cancel.check() &&
        (answer || answer.error().os_errno() == 0)) {
      continue;
    }
    if (answer && *answer) {
      keep(origin, exchange.release());
    }
    return answer;
  }
}

Fd PlainHttp::take(const std::string& origin) {
  const auto idle = idle_.lock();
  const auto found = std::find_if(idle->rbegin(), idle->rend(),
                                  [&](const Connection& one) { return one.origin == origin; });
  if (found == idle->rend()) {
    return {};
  }
  Fd socket = std::move(found->socket);
  idle->erase(std::next(found).base());
  return socket;
}

void PlainHttp::keep(std::string origin, Fd socket) {
  const auto idle = idle_.lock();
  if (socket && idle->size() < kMaxIdle) {
    idle->push_back({.origin = std::move(origin), .socket = std::move(socket)});
  }
}

}  // namespace mybuild::registry

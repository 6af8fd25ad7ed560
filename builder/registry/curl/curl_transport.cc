// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/curl/curl_error.h"
#include "builder/registry/curl/easy.h"
#include "builder/registry/curl/pace.h"
#include "builder/registry/http_text.h"
#include "builder/registry/net_module.h"
#include "builder/registry/url.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/log.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

namespace mybuild::registry {

namespace {

constexpr long kConnectTimeoutSeconds = 15;
/// A registry that has taken a large blob may be silent while it moves it to its place.
constexpr long kUploadStallSeconds = 180;
constexpr long kMaxRedirects = 10;
constexpr long kBufferSize = 256 << 10;
constexpr long kUploadBufferSize = 1 << 20;
constexpr std::size_t kMaxErrorText = 64 << 10;
constexpr std::size_t kMaxIdle = 16;
constexpr char kDownHint[] = "https is never left for http";

/// The body of a request that is read while it is sent.
class Upload {
 public:
  explicit Upload(const BodyStream& stream) : stream_(stream) {}

  static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Upload*>(self)->fill(std::as_writable_bytes(std::span(data, size * count)));
  }
  /// libcurl starts over when a kept connection turns out to be dead.
  static int on_seek(void* self, curl_off_t offset, int origin) {
    if (offset != 0 || origin != SEEK_SET) {
      return CURL_SEEKFUNC_CANTSEEK;
    }
    static_cast<Upload*>(self)->source_.reset();
    return CURL_SEEKFUNC_OK;
  }

  const std::optional<Error>& failure() const { return failure_; }

 private:
  std::size_t fill(MutableByteSpan buffer) {
    const Result<std::size_t> count = read(buffer);
    if (!count) {
      failure_ = count.error();
      return CURL_READFUNC_ABORT;
    }
    return *count;
  }
  Result<std::size_t> read(MutableByteSpan buffer) {
    if (!source_) {
      source_ = TRY(stream_.open());
    }
    return source_->read(buffer);
  }

  const BodyStream& stream_;
  std::unique_ptr<Source> source_;
  std::optional<Error> failure_;
};

/// One request under way: what the callbacks of libcurl write to.
class Exchange {
 public:
  Exchange(CURL* easy, BodySink& body) : easy_(easy), body_(body) {}

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    const std::size_t bytes = size * count;
    return static_cast<Exchange*>(self)->take_header({data, bytes}) ? bytes : 0;
  }
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    const std::size_t bytes = size * count;
    return static_cast<Exchange*>(self)->take_body({data, bytes}) ? bytes : 0;
  }

  Result<Response> finish(CURLcode code, const std::string& what, std::string_view detail) {
    if (refused_) {
      return began_ ? *std::move(refused_) : (*std::move(refused_)).context(what);
    }
    if (code != CURLE_OK && !error_text_full_) {
      return curl_error(code, what, detail);
    }
    TRY(begin_body());
    return std::move(response_);
  }

 private:
  bool take_header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaderBytes) {
      return refuse(
          invalid_argument("the answer has more than {} bytes of headers", kMaxHeaderBytes));
    }
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) {
      line.remove_suffix(1);
    }
    if (line.starts_with("HTTP/")) {
      response_.headers.clear();  // of a redirect, or of a 100 Continue
      response_.reason = reason_of(line);
      return stays_secure();
    }
    if (!began_) {
      add_header(response_, line);
    }
    return true;
  }

  /// libcurl lets a request that began as http be led to https and back; nothing of that is used.
  bool stays_secure() {
    const char* scheme = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_SCHEME, &scheme);
    const bool secure = scheme != nullptr && lower_case(scheme) == "https";
    if (was_secure_ && !secure) {
      return refuse(make_error(ErrorKind::Denied, "a redirect leads from https to http")
                        .with_hint(kDownHint));
    }
    was_secure_ = secure;
    return true;
  }

  bool take_body(std::string_view bytes) {
    if (const Status status = begin_body(); !status) {
      return refuse(status.error());
    }
    if (!response_.ok()) {
      return take_error_text(bytes);
    }
    if (const Status status = body_.write(as_bytes(bytes)); !status) {
      return refuse(status.error());
    }
    return true;
  }

  bool take_error_text(std::string_view bytes) {
    response_.error_text += bytes.substr(0, kMaxErrorText - response_.error_text.size());
    error_text_full_ = response_.error_text.size() == kMaxErrorText;
    return !error_text_full_;
  }

  /// Status and headers are those of the last answer as soon as a body comes: bodies of redirects
  /// are not passed on.
  Status begin_body() {
    if (began_) {
      return {};
    }
    began_ = true;
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    const char* url = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_EFFECTIVE_URL, &url);
    response_.origin = url == nullptr ? std::string() : origin_of(url);
    return response_.ok() ? body_.begin(response_) : Status();
  }

  bool refuse(Error error) {
    refused_ = std::move(error);
    return false;
  }

  CURL* easy_;
  BodySink& body_;
  Response response_;
  std::optional<Error> refused_;
  std::size_t header_bytes_ = 0;
  bool was_secure_ = false;
  bool began_ = false;
  bool error_text_full_ = false;
};

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// The user's list, and this machine: a local registry is never behind a proxy.
std::string no_proxy_list() {
  std::string list = environment("no_proxy");
  if (list.empty()) {
    list = environment("NO_PROXY");
  }
  if (list == "*") {
    return list;
  }
  return list + (list.empty() ? "" : ",") + "localhost,127.0.0.0/8,::1";
}

HeaderList header_list(const Request& request) {
  HeaderList list(
      curl_slist_append(nullptr, "Expect:"));  // no round trip to ask whether a body is welcome
  for (const std::string& header : request.headers) {
    if (is_one_line(header)) {
      curl_slist_append(list.get(), header.c_str());
    }
  }
  return list;
}

/// For messages. The URL of a socket names a host that nobody asked for.
std::string what_is_asked(const Request& request) {
  const std::string url = without_query(request.url);
  return request.unix_socket.empty()
             ? request.method + " " + url
             : fmt::format("{} {} at unix:{}", request.method, url.substr(origin_of(url).size()),
                           request.unix_socket);
}

using ErrorText = std::array<char, CURL_ERROR_SIZE>;

/// In the place of libcurl's words, which are about a port 80.
void tell_of_socket(CURL* easy, ErrorText& detail) {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  const std::string why = number == 0 ? "nobody listens there"
                                      : std::generic_category().message(static_cast<int>(number));
  detail.fill(0);
  why.copy(detail.data(), detail.size() - 1);
}

class CurlTransport final : public Transport {
 public:
  CurlTransport()
      : no_proxy_(no_proxy_list()),
        ca_file_(environment("SSL_CERT_FILE")),
        ca_folder_(environment("SSL_CERT_DIR")) {}

  Result<Response> send(const Request& request, BodySink& body, const Cancel& cancel) override {
    TRY(cancel.check());
    const std::string what = what_is_asked(request);
    Connection connection = take(request.unix_socket + origin_of(request.url));
    if (!connection.easy || !connection.multi) {
      return internal_error("{}: libcurl does not start", what);
    }
    ErrorText detail{};
    CURL* const easy = connection.easy.get();
    Exchange exchange(easy, body);
    const HeaderList headers = header_list(request);
    prepare(easy, request, exchange, headers.get(), detail.data());
    std::optional<Upload> upload;
    if (request.stream) {
      upload.emplace(*request.stream);
      prepare_upload(easy, *request.stream, *upload);
    }
    Pace pace(easy, patience_of(request));
    const CURLcode code = run(connection, pace, cancel);
    if (!request.unix_socket.empty() && code == CURLE_COULDNT_CONNECT) {
      tell_of_socket(easy, detail);
    }
    Result<Response> response = exchange.finish(code, what, detail.data());
    if (cancel.requested()) {
      return cancel.check().error();
    }
    if (pace.trickled()) {
      return pace.error(what);
    }
    if (upload && upload->failure()) {
      return *upload->failure();
    }
    log::debug("{}: {}", what, response ? response->status : 0);
    give_back(std::move(connection));
    return response;
  }

 private:
  void prepare(CURL* easy, const Request& request, Exchange& exchange, curl_slist* headers,
               char* detail) const {
    curl_easy_reset(easy);  // keeps connections, names and TLS sessions
    const bool secure = request.url.starts_with("https:");
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kBufferSize);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request.stall.count()));
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    // libcurl drops our Authorization header when a redirect leads to another host, port or scheme.
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, no_proxy_.c_str());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
    prepare_limits(easy, request);
    prepare_authorities(easy);
    if (request.tls != nullptr) {
      prepare_tls(easy, *request.tls);
    }
    prepare_method(easy, request);
  }

  static void prepare_limits(CURL* easy, const Request& request) {
    if (request.timeout) {
      curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout->count()));
    }
    if (!request.unix_socket.empty()) {
      curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
  }

  void prepare_authorities(CURL* easy) const {
    if (!ca_file_.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file_.c_str());
    }
    if (!ca_folder_.empty()) {
      curl_easy_setopt(easy, CURLOPT_CAPATH, ca_folder_.c_str());
    }
  }

  /// libcurl copies all of it, and opens a connection of its own for other settings.
  void prepare_tls(CURL* easy, const TlsSettings& tls) const {
    if (!tls.verify) {
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!tls.authorities.empty()) {
      // In the place of the system's file; the system's folder stays.
      std::string bundle = ca_file_.empty() ? std::string() : read_file(ca_file_).value_or("");
      for (const std::string& path : tls.authorities) {
        bundle += "\n" + read_file(path).value_or("");
      }
      curl_blob blob{bundle.data(), bundle.size(), CURL_BLOB_COPY};
      curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (!tls.client_certificate.empty()) {
      curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.client_certificate.c_str());
      curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.client_key.c_str());
    }
  }

  static void prepare_method(CURL* easy, const Request& request) {
    if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET") {
      curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
    if (request.method != "HEAD" && request.method != "GET" && !request.stream) {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    }
  }

  static void prepare_upload(CURL* easy, const BodyStream& stream, Upload& upload) {
    const curl_off_t size = stream.size ? static_cast<curl_off_t>(*stream.size) : -1;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, size);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferSize);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, kUploadStallSeconds);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Upload::on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &Upload::on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, &upload);
  }

  static std::optional<std::chrono::seconds> patience_of(const Request& request) {
    return request.stream && request.patience
               ? *request.patience + std::chrono::seconds(kUploadStallSeconds)
               : request.patience;
  }

  /// Drives one request to its end; wakes at once when the build is cancelled.
  static CURLcode run(Connection& connection, Pace& pace, const Cancel& cancel) {
    CURLM* const multi = connection.multi.get();
    curl_multi_add_handle(multi, connection.easy.get());
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int running = 1;
    while (running != 0 && !cancel.requested() && !pace.trickles()) {
      if (curl_multi_perform(multi, &running) != CURLM_OK) {
        break;
      }
      if (running != 0) {
        curl_waitfd stop{cancel.fd(), CURL_WAIT_POLLIN, 0};
        curl_multi_poll(multi, &stop, 1, 1000, nullptr);
      }
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) {
        result = message->data.result;
      }
    }
    curl_multi_remove_handle(multi, connection.easy.get());
    return result;
  }

  /// An idle connection, if possible one that is open to the same place.
  Connection take(const std::string& origin) {
    auto idle = idle_.lock();
    auto found = std::find_if(idle->rbegin(), idle->rend(), [&](const Connection& candidate) {
      return candidate.origin == origin;
    });
    if (found == idle->rend() && idle->size() == kMaxIdle) {
      found = std::prev(idle->rend());
    }
    if (found == idle->rend()) {
      Connection fresh;
      fresh.origin = origin;
      return fresh;
    }
    Connection connection = std::move(*found);
    idle->erase(std::next(found).base());
    connection.origin = origin;
    return connection;
  }

  void give_back(Connection connection) {
    auto idle = idle_.lock();
    if (idle->size() < kMaxIdle) {
      idle->push_back(std::move(connection));
    }
  }

  const std::string no_proxy_;
  const std::string ca_file_;
  const std::string ca_folder_;
  Guarded<std::vector<Connection>> idle_;
};

}  // namespace

}  // namespace mybuild::registry

extern "C" __attribute__((visibility("default"))) mybuild::registry::Transport*
mybuild_net_make_transport() {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  return new mybuild::registry::CurlTransport();
}

// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/curl/curl_error.h"

#include <cerrno>
#include <string>

namespace mybuild::registry {

namespace {

struct Meaning {
  CURLcode code;
  ErrorKind kind;
  const char* hint;
};

constexpr char kTlsHint[] =
    "is the server's certificate signed by an authority in /etc/ssl/certs, or named by "
    "SSL_CERT_FILE, or (a registry's) in a *.crt in /etc/docker/certs.d/HOST/?";
constexpr char kNameHint[] = "is there a network, and is the host name right?";
constexpr char kProxyHint[] = "see HTTP_PROXY, HTTPS_PROXY and NO_PROXY";

// What is not listed is an answer that never came complete: a retry may help.
constexpr Meaning kMeanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ErrorKind::Unavailable, kNameHint},
    {CURLE_COULDNT_RESOLVE_PROXY, ErrorKind::Unavailable, kProxyHint},
    {CURLE_PEER_FAILED_VERIFICATION, ErrorKind::Denied, kTlsHint},
    {CURLE_SSL_CACERT_BADFILE, ErrorKind::Denied, kTlsHint},
    {CURLE_SSL_ISSUER_ERROR, ErrorKind::Denied, kTlsHint},
    {CURLE_SSL_INVALIDCERTSTATUS, ErrorKind::Denied, kTlsHint},
    {CURLE_SSL_CERTPROBLEM, ErrorKind::Denied, kTlsHint},
    {CURLE_URL_MALFORMAT, ErrorKind::InvalidArgument, ""},
    {CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::Denied,
     "only http and https are spoken, and https is never left for http by a redirect"},
    {CURLE_TOO_MANY_REDIRECTS, ErrorKind::InvalidArgument,
     "the server sends the request round in a circle"},
};

constexpr char kClientHint[] =
    "the server wants a certificate of ours: a *.cert and its *.key in /etc/docker/certs.d/HOST/";

/// The server ends the connection because of our certificate, or the lack of one; to libcurl that
/// is a broken connection.
bool refuses_our_certificate(std::string_view detail) {
  return detail.find("alert") != std::string_view::npos &&
         (detail.find("bad certificate") != std::string_view::npos ||
          detail.find("certificate required") != std::string_view::npos ||
          detail.find("unknown ca") != std::string_view::npos);
}

/// What is no TLS at all, in OpenSSL's and in GnuTLS' words.
bool speaks_no_tls(std::string_view detail) {
  return detail.find("wrong version number") != std::string_view::npos ||
         detail.find("packet length too long") != std::string_view::npos ||
         detail.find("unexpected TLS packet") != std::string_view::npos;
}

/// "host:port" of the https URL that `what` names.
std::string host_in(std::string_view what) {
  constexpr std::string_view kScheme = "https://";
  const std::size_t start = what.find(kScheme);
  if (start == std::string_view::npos) {
    return "HOST";
  }
  what.remove_prefix(start + kScheme.size());
  return std::string(what.substr(0, what.find_first_of("/?# ")));
}

}  // namespace

Error curl_error(CURLcode code, std::string_view what, std::string_view detail) {
  std::string text(detail.empty() ? std::string_view(curl_easy_strerror(code)) : detail);
  if (!text.starts_with("OpenSSL") && text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' &&
      text[1] >= 'a' && text[1] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  if (refuses_our_certificate(detail)) {
    return make_error(ErrorKind::Denied, "{}: {}", what, text).with_hint(kClientHint);
  }
  if (code == CURLE_SSL_CONNECT_ERROR && speaks_no_tls(detail)) {
    return make_error(ErrorKind::Unavailable, "{}: {}", what, text)
        .with_hint(fmt::format("the server does not speak TLS; for a registry that speaks plain "
                               "http there is --insecure-registry {}",
                               host_in(what)));
  }
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code == code) {
      return make_error(meaning.kind, "{}: {}", what, text).with_hint(meaning.hint);
    }
  }
  return make_error(ErrorKind::Unavailable, "{}: {}", what, text)
      .with_errno(code == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT : 0);
}

}  // namespace mybuild::registry

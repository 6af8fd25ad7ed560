// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/auth.h"

#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/url.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/reference.h"

#include <algorithm>

namespace mybuild::registry {

namespace {

using std::chrono::seconds;

constexpr std::size_t kMaxTokenDocument = 1 << 20;
constexpr seconds kShortestLife{60};  // of a token that does not say, and the least one that does
constexpr seconds kMargin{10};        // a token must outlive the request it is sent with

bool is_space(char c) {
  return c == ' ' || c == '\t';
}
bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Reads a header value piece by piece (RFC 9110, "Authentication Parameters").
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view rest) : rest_(rest) {}

  bool at_end() const { return rest_.empty(); }
  void skip(bool commas) {
    while (!rest_.empty() && (is_space(rest_.front()) || (commas && rest_.front() == ','))) {
      rest_.remove_prefix(1);
    }
  }
  bool accept(char c) {
    if (!rest_.starts_with(c)) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    const std::string_view text = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(text.size());
    return text;
  }
  bool value(std::string& text) {
    if (!accept('"')) {
      text = token();
      return !text.empty();
    }
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) {
        rest_.remove_prefix(1);
      }
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    return accept('"');
  }

 private:
  std::string_view rest_;
};

/// One "name=value" or the name of the next scheme; false when the header is broken.
bool read_item(HeaderReader& reader, std::vector<Challenge>& challenges) {
  const std::string name = lower_case(reader.token());
  if (name.empty()) {
    return false;
  }
  reader.skip(/*commas=*/false);
  if (!reader.accept('=')) {
    challenges.push_back({name, {}});
    return true;
  }
  reader.skip(/*commas=*/false);
  std::string value;
  if (challenges.empty() || !reader.value(value)) {
    return false;
  }
  challenges.back().values[name] = std::move(value);
  return true;
}

Error wants_credentials(const std::string& host) {
  return make_error(ErrorKind::Denied, "{} wants credentials, which are not supported yet", host)
      .with_hint(kCredentialsHint);
}

/// A realm gets no secret of ours, but the token it gives decides what we are served: no plain HTTP
/// over a network.
Status check_realm(const std::string& realm) {
  const std::string origin = origin_of(realm);
  const bool local =
      origin.starts_with("http://") && oci::is_loopback(std::string_view(origin).substr(7));
  if (!origin.starts_with("https://") && !local) {
    return make_error(ErrorKind::Denied,
                      "the registry sends to \"{}\" for a token, which is not https",
                      printable(without_query(realm)));
  }
  return {};
}

std::string token_url(const Challenge& challenge, const std::string& scope) {
  std::string url = challenge.values.at("realm");
  if (const auto service = challenge.values.find("service"); service != challenge.values.end()) {
    url = with_query(std::move(url), "service", service->second);
  }
  const auto asked = challenge.values.find("scope");
  return with_query(std::move(url), "scope",
                    asked == challenge.values.end() ? scope : asked->second);
}

/// Whether a token can stand in a header line.
bool is_header_safe(std::string_view token) {
  return !token.empty() &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

struct TokenAnswer {
  std::string text;
  seconds life{0};
};

Result<TokenAnswer> parse_token(const std::string& document) {
  const Json json = TRY(parse_json(document));
  const JsonField root(json, "");
  TokenAnswer answer;
  answer.text = TRY(TRY(root.field("token")).string_or(""));
  if (answer.text.empty()) {
    answer.text = TRY(TRY(root.field("access_token")).string_or(""));
  }
  if (!is_header_safe(answer.text)) {
    return invalid_argument("no usable token in the answer");
  }
  const std::int64_t life = TRY(TRY(root.field("expires_in")).integer_or(0));
  answer.life = seconds(std::clamp<std::int64_t>(life, kShortestLife.count(), 24 * 3600));
  return answer;
}

std::string key_of(const std::string& host, const std::string& scope) {
  return host + " " + scope;
}

}  // namespace

std::optional<Challenge> parse_challenge(std::string_view header) {
  HeaderReader reader(header);
  std::vector<Challenge> challenges;
  for (reader.skip(true); !reader.at_end(); reader.skip(true)) {
    if (!read_item(reader, challenges)) {
      return std::nullopt;
    }
  }
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == "bearer") {
      return challenge;
    }
  }
  return challenges.empty() ? std::nullopt : std::optional(challenges.front());
}

std::string TokenKeeper::find(const std::string& host, const std::string& scope) {
  auto tokens = tokens_.lock();
  const auto found = tokens->find(key_of(host, scope));
  if (found == tokens->end() || found->second.expires < std::chrono::steady_clock::now()) {
    return {};
  }
  return found->second.text;
}

void TokenKeeper::forget(const std::string& host, const std::string& scope) {
  tokens_.lock()->erase(key_of(host, scope));
}

Result<std::string> TokenKeeper::fetch(const std::string& host, const std::string& scope,
                                       const Response& unauthorized, const Cancel& cancel) {
  const std::optional<Challenge> challenge =
      parse_challenge(unauthorized.header("www-authenticate"));
  if (!challenge || challenge->scheme != "bearer" || !challenge->values.contains("realm")) {
    return wants_credentials(host);
  }
  TRY(check_realm(challenge->values.at("realm")));
  Request request;
  request.url = token_url(*challenge, scope);
  TextBody body(kMaxTokenDocument);
  const Response response =
      TRY(transport_.send(request, body, cancel).context("fetch a token for " + host));
  if (response.status == 401 || response.status == 403) {
    return wants_credentials(host);
  }
  if (!response.ok()) {
    return status_error(response, "fetch a token for " + host);
  }
  const std::string url = without_query(request.url);
  TRY(expect_json(response, url, body.text()).context("token for " + host));
  const TokenAnswer answer =
      TRY(parse_token(body.text()).context("token for " + host + " from " + url));
  const auto expires = std::chrono::steady_clock::now() + answer.life - kMargin;
  tokens_.lock()->insert_or_assign(key_of(host, scope), Token{answer.text, expires});
  return answer.text;
}

}  // namespace mybuild::registry

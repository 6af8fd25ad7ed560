// SPDX-License-Identifier: Apache-2.0
#include "builder/registry/tag_list.h"

#include "builder/registry/body.h"
#include "builder/registry/errors.h"
#include "builder/registry/url.h"
#include "snapshotter/base/json.h"

namespace mybuild::registry {

namespace {

constexpr std::size_t kMaxPage = 8 << 20;
constexpr std::size_t kMaxTags = 100'000;

Result<std::vector<std::string>> read_page(const std::string& text) {
  const Json json = TRY(parse_json(text));
  return TRY(JsonField(json, "").field("tags"))
  .strings();
}

/// The answer's Link header.
Result<std::string> fetch_page(Channel& channel, const Endpoint& endpoint, const std::string& url,
                               const std::string& what, TextBody& body, const Cancel& cancel) {
  Request request;
  request.url = url;
  Attempts attempts(channel, endpoint);
  for (;;) {
    const Result<Response> response =
        channel.send(request, endpoint, pull_scope(endpoint), body, cancel);
    if (response && response->ok()) {
      TRY(expect_json(*response, url, body.text()).context(what));
      return response->header("link");
    }
    TRY(attempts.retry(response, what, cancel));
  }
}

}  // namespace

std::string next_page(std::string_view url, std::string_view link) {
  const std::size_t open = link.find('<');
  const std::size_t close = link.find('>', open);
  if (close == std::string_view::npos ||
      lower_case(link.substr(close)).find("next") == std::string::npos) {
    return {};
  }
  const std::string_view target = link.substr(open + 1, close - open - 1);
  if (target.starts_with('?')) {
    const std::string whole = without_query(url);
    return whole.substr(origin_of(url).size()) + std::string(target);
  }
  const std::string whole = resolve_location(url, target);
  return whole.substr(origin_of(whole).size());
}

Result<std::vector<std::string>> list_tags(Channel& channel, const Endpoint& endpoint,
                                           const std::string& what, const Cancel& cancel) {
  std::vector<std::string> tags;
  std::string url = endpoint.api() + "/tags/list";
  for (;;) {
    TextBody body(kMaxPage);
    const std::string link = TRY(fetch_page(channel, endpoint, url, what, body, cancel));
    const std::vector<std::string> page = TRY(read_page(body.text()).context("tags of " + what));
    tags.insert(tags.end(), page.begin(), page.end());
    const std::string next = next_page(url, link);
    if (next.empty()) {
      return tags;
    }
    if (page.empty() || tags.size() > kMaxTags) {  // it would never end
      return invalid_argument("{}: the registry's list of tags has no end", what);
    }
    url = endpoint.origin + next;
  }
}

}  // namespace mybuild::registry

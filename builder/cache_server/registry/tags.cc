// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/tags.h"

#include "builder/cache_server/registry/answers.h"
#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "snapshotter/base/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace mybuild::cache_server {

namespace {

constexpr std::size_t kMaxPage = 10'000;
/// Repositories that are looked at for one page, readable or not.
constexpr std::size_t kMaxLooks = 10'000;
constexpr std::size_t kLooksAtOnce = 256;

/// The parameter n; nullopt when it is no number.
std::optional<std::size_t> page_size(const Request& request) {
  const auto found = request.query.find("n");
  if (found == request.query.end()) {
    return kMaxPage;
  }
  const std::string& text = found->second;
  std::size_t n = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), n);
  const bool is_number = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return is_number ? std::optional(std::min(n, kMaxPage)) : std::nullopt;
}

Answer bad_page_size() {
  return error_answer(400, "PAGINATION_NUMBER_INVALID", "n has to be a number");
}

Answer list_answer(const Json& body, const std::string& next) {
  Answer answer = json_answer(200, canonical_dump(body));
  if (!next.empty()) {
    answer.with("Link", next_link(next));
  }
  return answer;
}

std::unique_ptr<Exchange> refuse_method() {
  return refuse_with(unsupported_method("GET"));
}

}  // namespace

std::unique_ptr<Exchange> Tags::begin(RepositoryRequest request) {
  if (!request.is("GET") && !request.is("HEAD")) {
    return refuse_method();
  }
  const std::optional<std::size_t> limit = page_size(request.request);
  if (!limit) {
    return refuse_with(bad_page_size());
  }
  return answer_with([this, request = std::move(request), limit = *limit]() -> Outcome {
    return answer_or_error(tags(request, limit));
  });
}

Result<Answer> Tags::tags(const RepositoryRequest& request, std::size_t limit) {
  auto found = deps_.meta.repositories().tags(request.repository, request.request.parameter("last"),
                                              limit + 1);
  if (!found) {
    return found.error().kind() == ErrorKind::NotFound
               ? Result<Answer>(name_unknown(request.repository))
               : found.error();
  }
  const bool has_more = found->size() > limit && limit > 0;
  found->resize(std::min(found->size(), limit));
  return list_answer({{"name", request.repository}, {"tags", *found}},
                     has_more ? fmt::format("/v2/{}/tags/list?n={}&last={}", request.repository,
                                            limit, found->back())
                              : "");
}

std::unique_ptr<Exchange> Tags::begin_catalog(Request request) {
  if (request.method != "GET" && request.method != "HEAD") {
    return refuse_method();
  }
  const std::optional<std::size_t> limit = page_size(request);
  if (!limit) {
    return refuse_with(bad_page_size());
  }
  return answer_with([this, request = std::move(request), limit = *limit]() -> Outcome {
    return answer_or_error(catalog(request, limit));
  });
}

Result<Answer> Tags::catalog(const Request& request, std::size_t limit) {
  std::string last = request.parameter("last");
  std::vector<std::string> readable;
  std::size_t looks = 0;
  bool has_more = limit > 0;
  while (has_more && readable.size() < limit && looks < kMaxLooks) {
    const auto names = TRY(deps_.meta.repositories().repositories(last, kLooksAtOnce));
    has_more = names.size() == kLooksAtOnce;
    looks += names.size();
    for (const std::string& name : names) {
      if (readable.size() == limit) {
        has_more = true;
        break;
      }
      last = name;
      if (request.caller.may_read(TRY(deps_.meta.access().space_of(name)))) {
        readable.push_back(name);
      }
    }
  }
  return list_answer({{"repositories", readable}},
                     has_more ? fmt::format("/v2/_catalog?n={}&last={}", limit, last) : "");
}

}  // namespace mybuild::cache_server

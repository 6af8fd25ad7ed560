// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/registry_api.h"

#include "builder/cache_server/protocol/names.h"
#include "builder/cache_server/registry/answers.h"
#include "builder/cache_server/registry/lineage.h"

#include <fmt/core.h>

#include <optional>
#include <string_view>

namespace mybuild::cache_server {

namespace {

enum class Kind { Blob, NewUpload, Upload, Manifest, Tags, Referrers };

struct Parts {
  std::string_view head;
  std::string_view last;
};

/// At the last slash.
std::optional<Parts> split_last(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  return Parts{.head = path.substr(0, slash), .last = path.substr(slash + 1)};
}

/// `path` without "/<ending>"; nullopt when it ends otherwise.
std::optional<std::string_view> without(std::string_view path, std::string_view ending) {
  const bool ends_so = path.size() > ending.size() && path.ends_with(ending) &&
                       path[path.size() - ending.size() - 1] == '/';
  return ends_so ? std::optional(path.substr(0, path.size() - ending.size() - 1)) : std::nullopt;
}

}  // namespace

/// What a path asks for. Names of repositories may hold any word, so it is read from its end.
struct RegistryApi::Route {
  Kind kind;
  std::string repository;
  std::string reference;

  bool is_write(const std::string& method) const {
    return kind == Kind::NewUpload || kind == Kind::Upload || (method != "GET" && method != "HEAD");
  }
  static std::optional<Route> of(std::string_view path);
};

std::optional<RegistryApi::Route> RegistryApi::Route::of(std::string_view path) {
  if (const auto name = without(path, "tags/list")) {
    return Route{.kind = Kind::Tags, .repository = std::string(*name), .reference = ""};
  }
  for (const std::string_view ending : {"blobs/uploads/", "blobs/uploads"}) {
    if (const auto name = without(path, ending)) {
      return Route{.kind = Kind::NewUpload, .repository = std::string(*name), .reference = ""};
    }
  }
  const auto parts = split_last(path);
  constexpr struct {
    std::string_view word;
    Kind kind;
  } kKinds[] = {{"blobs/uploads", Kind::Upload},
                {"blobs", Kind::Blob},
                {"manifests", Kind::Manifest},
                {"referrers", Kind::Referrers}};
  for (const auto& [word, kind] : kKinds) {
    if (const auto name = parts ? without(parts->head, word) : std::nullopt) {
      return Route{
          .kind = kind, .repository = std::string(*name), .reference = std::string(parts->last)};
    }
  }
  return std::nullopt;
}

std::unique_ptr<Exchange> RegistryApi::begin(Request request) {
  if (request.caller.token_id.empty()) {
    return refuse_with(unauthorized());
  }
  if (request.path == "/v2/token" && deps_.anonymous_read) {
    return request.method == "GET"
               ? answer_with([answer = token_answer(request)]() -> Outcome { return answer; })
               : refuse_with(unsupported_method("GET"));
  }
  if (request.path == "/v2" || request.path == "/v2/") {
    if (request.method != "GET" && request.method != "HEAD") {
      return refuse_with(unsupported_method("GET, HEAD"));
    }
    if (request.caller.token_id == kAnonymous && request.header("authorization").empty()) {
      return refuse_with(unauthorized_anonymous(request));
    }
    Answer answer = json_answer(200, "{}");
    answer.with("Docker-Distribution-API-Version", "registry/2.0");
    return answer_with([answer]() -> Outcome { return answer; });
  }
  if (request.path == "/v2/_catalog") {
    return tags_.begin_catalog(std::move(request));
  }
  constexpr std::string_view kFolder = "/v2/";
  const auto route = request.path.starts_with(kFolder)
                         ? Route::of(std::string_view(request.path).substr(kFolder.size()))
                         : std::nullopt;
  if (!route) {
    return refuse_with(
        error_answer(404, "UNSUPPORTED", fmt::format("nothing is served at {}", request.path)));
  }
  if (!is_repository_name(route->repository)) {
    return refuse_with(name_invalid(route->repository));
  }
  auto exchange = begin_in_repository(std::move(request), *route);
  return exchange ? std::move(*exchange) : refuse_with(error_answer(exchange.error()));
}

Result<std::unique_ptr<Exchange>> RegistryApi::begin_in_repository(Request request,
                                                                   const Route& route) {
  const std::string space = TRY(deps_.meta.access().space_of(route.repository));
  if (route.is_write(request.method)) {
    if (request.caller.token_id == kAnonymous) {
      return refuse_with(unauthorized_anonymous(request));
    }
    if (!request.caller.may_write(space)) {
      return refuse_with(denied(fmt::format("this token does not write to {}", route.repository)));
    }
  } else if (!request.caller.may_read(space)) {
    return refuse_with(request.caller.has(Scope::Read) ? name_unknown(route.repository)
                                                       : denied("this token does not read"));
  }
  RepositoryRequest checked{.request = std::move(request),
                            .repository = route.repository,
                            .space = space,
                            .lineage = {},
                            .reference = route.reference};
  checked.lineage = TRY(lineage_of(deps_.meta.access(), space));
  switch (route.kind) {
    case Kind::Blob:
      return blobs_.begin(std::move(checked));
    case Kind::NewUpload:
      return uploads_.begin_new(std::move(checked));
    case Kind::Upload:
      return uploads_.begin(checked);
    case Kind::Manifest:
      return manifests_.begin(std::move(checked));
    case Kind::Tags:
      return tags_.begin(std::move(checked));
    case Kind::Referrers:
      return referrers_.begin(std::move(checked));
  }
  return internal_error("no such kind of address");
}

}  // namespace mybuild::cache_server

// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/service/front.h"

namespace mybuild::cache_server {

namespace {

Answer text_answer(int status, std::string text) {
  return Answer{.status = status,
                .headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
                .body = std::move(text),
                .note = {}};
}

bool is_under(const std::string& path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

std::unique_ptr<Exchange> Front::begin(Request request) {
  if (request.path == "/healthz") {
    return answer_with([] { return text_answer(200, "ok\n"); });
  }
  if (request.path == "/readyz") {
    return answer_with([this] {
      const Status ready = deps_.is_ready();
      return ready ? text_answer(200, "ready\n") : text_answer(503, ready.error().message() + "\n");
    });
  }
  if (request.path == "/metrics") {
    return answer_with([this] { return text_answer(200, deps_.metrics.text()); });
  }
  const struct {
    std::string_view folder;
    Handler& handler;
  } places[] = {{"/v2", deps_.registry}, {"/cache/v1", deps_.records}, {"/admin/v1", deps_.admin}};
  for (const auto& place : places) {
    if (is_under(request.path, place.folder)) {
      Result<Caller> caller = deps_.access.identify(request.header("authorization"));
      if (!caller) {
        return refuse_with(error_answer(caller.error()));
      }
      request.caller = std::move(*caller);
      return place.handler.begin(std::move(request));
    }
  }
  return refuse_with(error_answer(404, "NOT_FOUND", "nothing is served at " + request.path));
}

}  // namespace mybuild::cache_server

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

/// Of requests that change what others see. They are few enough to ask twice.
bool is_change(const Request& request) {
  return request.method != "GET" && request.method != "HEAD" &&
         (is_under(request.path, "/v2") || is_under(request.path, "/cache/v1/publish"));
}

/// A body may take hours, and a token that is revoked ends at once.
class Rechecked final : public Exchange {
 public:
  Rechecked(std::unique_ptr<Exchange> inner, std::function<Result<bool>()> is_still_good)
      : inner_(std::move(inner)), is_still_good_(std::move(is_still_good)) {}
  Status write(ByteSpan bytes) override { return inner_->write(bytes); }
  std::optional<Answer> refusal() override { return inner_->refusal(); }
  std::size_t memory() const override { return inner_->memory(); }
  Outcome finish() override {
    const Result<bool> is_good = is_still_good_();
    if (!is_good) {
      return error_answer(is_good.error());
    }
    return *is_good ? inner_->finish()
                    : error_answer(401, "UNAUTHORIZED", "the token ended meanwhile");
  }

 private:
  const std::unique_ptr<Exchange> inner_;
  const std::function<Result<bool>()> is_still_good_;
};

}  // namespace

std::unique_ptr<Exchange> Front::begin_public(const Request& request) {
  const struct {
    std::string_view path;
    std::function<Answer()> answer;
  } pages[] = {
      {"/healthz", [] { return text_answer(200, "ok\n"); }},
      {"/readyz",
       [this] {
         const Status ready = deps_.is_ready();
         return ready ? text_answer(200, "ready\n")
                      : text_answer(503, ready.error().message() + "\n");
       }},
      {"/metrics", [this] { return text_answer(200, deps_.metrics.text()); }},
  };
  for (const auto& page : pages) {
    if (request.path == page.path) {
      return request.method == "GET" || request.method == "HEAD"
                 ? answer_with(page.answer)
                 : refuse_with(unsupported_method("GET, HEAD"));
    }
  }
  return nullptr;
}

std::unique_ptr<Exchange> Front::begin(Request request) {
  if (auto exchange = begin_public(request)) {
    return exchange;
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
      if (!is_change(request)) {
        return place.handler.begin(std::move(request));
      }
      auto is_still_good = [this, authorization = request.header("authorization"),
                            id = request.caller.token_id]() -> Result<bool> {
        const Caller now = TRY(deps_.access.identify(authorization));
        return now.token_id == id;
      };
      return std::make_unique<Rechecked>(place.handler.begin(std::move(request)),
                                         std::move(is_still_good));
    }
  }
  return refuse_with(error_answer(404, "NOT_FOUND", "nothing is served at " + request.path));
}

}  // namespace mybuild::cache_server

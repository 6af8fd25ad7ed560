// SPDX-License-Identifier: Apache-2.0
// A web server as a Transport: answers come from a function, or from files with entity tags as an
// ordinary server has them; what it was asked is remembered. Thread-safe.
#pragma once

#include "builder/registry/transport.h"
#include "builder/registry/url.h"
#include "builder/secrets/secret_source.h"

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace mybuild::source {

struct SiteAnswer {
  int status = 200;
  std::string body = {};
  std::map<std::string, std::string> headers = {};
  std::optional<Error> error = {};  // after the body
};

/// Value of a header of a request, "" when it is not there.
inline std::string header_of(const registry::Request& request, const std::string& name) {
  for (const std::string& header : request.headers) {
    if (header.starts_with(name + ": ")) {
      return header.substr(name.size() + 2);
    }
  }
  return {};
}

class FakeSite final : public registry::Transport {
 public:
  struct File {
    std::string body;
    std::map<std::string, std::string> headers;
  };

  Result<registry::Response> send(const registry::Request& request, registry::BodySink& body,
                                  const Cancel& cancel) override {
    TRY(cancel.check());
    const SiteAnswer answer = next_answer(request);
    if (on_request) {
      on_request();
    }
    TRY(cancel.check());
    registry::Response response;
    response.status = answer.status;
    response.headers = answer.headers;
    if (response.ok()) {
      TRY(body.begin(response));
      TRY(body.write(as_bytes(answer.body)));
    } else {
      response.error_text = answer.body;
    }
    if (answer.error) {
      return *answer.error;
    }
    return response;
  }

  std::map<std::string, File> files;  // by URL
  std::deque<SiteAnswer> script;      // goes first
  bool ignores_conditions = false;
  std::function<void()> on_request;
  std::vector<registry::Request> asked;

 private:
  SiteAnswer next_answer(const registry::Request& request) {
    const std::lock_guard lock(mutex_);
    asked.push_back(request);
    if (!script.empty()) {
      SiteAnswer answer = std::move(script.front());
      script.pop_front();
      return answer;
    }
    const auto found = files.find(request.url);
    if (found == files.end()) {
      return {.status = 404, .body = "no such page\n", .headers = {{"content-type", "text/plain"}}};
    }
    const auto& [body, headers] = found->second;
    if (!ignores_conditions && is_current(request, headers)) {
      return {.status = 304, .headers = headers};
    }
    return {.status = 200, .body = body, .headers = headers};
  }
  static bool is_current(const registry::Request& request,
                         const std::map<std::string, std::string>& headers) {
    const std::string tag = header_of(request, "If-None-Match");
    const std::string since = header_of(request, "If-Modified-Since");
    const auto etag = headers.find("etag");
    const auto modified = headers.find("last-modified");
    return tag.empty() ? modified != headers.end() && since == modified->second
                       : etag != headers.end() && tag == etag->second;
  }

  std::mutex mutex_;
};

class FakeSecrets final : public secrets::SecretSource {
 public:
  Result<std::optional<std::string>> get(const std::string& id, const Cancel&) override {
    const auto found = values.find(id);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, std::string> values;
};

}  // namespace mybuild::source

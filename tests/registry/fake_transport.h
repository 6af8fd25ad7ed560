// SPDX-License-Identifier: Apache-2.0
// A Transport that answers from a script, in order, and remembers what it was asked.
#pragma once

#include "builder/registry/transport.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace mybuild::registry {

struct ScriptedAnswer {
  int status = 200;
  std::string body = {};
  std::map<std::string, std::string> headers = {};
  std::optional<Error> error = {};  // after the body
  std::string origin = {};          // of who answered, when a redirect led elsewhere
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(std::deque<ScriptedAnswer> script) : script_(std::move(script)) {}

  Result<Response> send(const Request& request, BodySink& body, const Cancel& cancel) override {
    TRY(cancel.check());
    asked.push_back(request);
    if (script_.empty()) {
      ADD_FAILURE() << "unexpected request for " << request.url;
      return internal_error("the script has ended");
    }
    const ScriptedAnswer answer = std::move(script_.front());
    script_.pop_front();
    Response response;
    response.status = answer.status;
    response.headers = answer.headers;
    response.origin = answer.origin;
    if (!response.ok()) {
      response.error_text = answer.body;
    } else {
      TRY(body.begin(response));
      TRY(body.write(as_bytes(answer.body)));
    }
    if (answer.error) {
      return *answer.error;
    }
    return response;
  }

  bool finished() const { return script_.empty(); }
  std::vector<Request> asked;

 private:
  std::deque<ScriptedAnswer> script_;
};

}  // namespace mybuild::registry

// SPDX-License-Identifier: Apache-2.0
// Plays the HTTP layer for a handler: one request with its body, and the answer to it.
#pragma once

#include "builder/cache_server/exchange.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mybuild::cache_server {

inline Answer drive(Handler& handler, Request request, std::string_view body = {}) {
  request.body_size = body.size();
  const std::unique_ptr<Exchange> exchange = handler.begin(std::move(request));
  if (const std::optional<Answer> refusal = exchange->refusal()) {
    return *refusal;
  }
  (void)exchange->write(as_bytes(body));
  Outcome outcome = exchange->finish();
  EXPECT_TRUE(std::holds_alternative<Answer>(outcome)) << "an answer that waits";
  return std::get<Answer>(std::move(outcome));
}

inline std::string text_of(const Answer& answer) {
  return std::get<std::string>(answer.body);
}

/// "" when there is no such header.
inline std::string header_of(const Answer& answer, std::string_view name) {
  for (const auto& [each, value] : answer.headers) {
    if (each == name) {
      return value;
    }
  }
  return {};
}

}  // namespace mybuild::cache_server

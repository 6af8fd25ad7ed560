// SPDX-License-Identifier: Apache-2.0
// What a cache server gets from its clients: each text is tried as each message.
#include "builder/cache_server/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

using namespace cache_server;

namespace {

template <class Message>
void check(std::string_view text, Result<Message> (*parse)(std::string_view)) {
  const auto message = parse(text);
  if (!message) {
    require(!message.error().message().empty(), "an error says something");
    return;
  }
  const std::string written = dump(*message);
  const auto again = parse(written);
  require(again && dump(*again) == written, "what was read can be written and read again");
}

}  // namespace

void run(std::string_view text) {
  check(text, parse_lookup_request);
  check(text, parse_publish_request);
  check(text, parse_claim_request);
  check(text, parse_claim_list);
  check(text, parse_wait_request);
  check(text, parse_explain_request);
}

}  // namespace mybuild::fuzz

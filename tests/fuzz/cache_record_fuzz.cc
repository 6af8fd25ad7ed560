// SPDX-License-Identifier: Apache-2.0
// A record as the cache server signs it, and the public keys that people write down.
#include "builder/cache_server/protocol/messages.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

using namespace cache_server;

void run(std::string_view text) {
  if (const auto key = parse_public_key(text)) {
    require(to_string(*key) == text, "a key has one text");
  }
  const auto record = parse_step_record(text);
  if (!record) {
    require(!record.error().message().empty(), "an error says something");
    return;
  }
  require(!record->content.is_zero() && !record->blob.digest.is_zero(), "a record names things");
  const auto again = parse_step_record(dump(*record));
  require(again && *again == *record, "what was read can be written and read again");
}

}  // namespace mybuild::fuzz

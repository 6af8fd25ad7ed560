// SPDX-License-Identifier: Apache-2.0
// The document of an imported cache.
#include "builder/remote_cache/document.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

void run(std::string_view text) {
  const auto document = remote_cache::parse_cache_document(text);
  if (!document) {
    require(!document.error().message().empty(), "an error says something");
    return;
  }
  for (const remote_cache::CachedRecord& record : document->records) {
    require(record.layer < document->layers.size(), "a record has a layer");
  }
  const auto again = remote_cache::parse_cache_document(remote_cache::dump(*document));
  require(again && *again == *document, "what was read can be written and read again");
}

}  // namespace mybuild::fuzz

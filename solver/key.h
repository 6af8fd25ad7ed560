// SPDX-License-Identifier: Apache-2.0
// Cache keys: how a step is found again. What enters a key is listed in key_schema.md; all keys are
// pure functions of bytes, each field framed by its length, under a version prefix. Value types,
// thread-safe.
#pragma once

#include "snapshotter/base/digest.h"
#include "solver/cache_index.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace mybuild::solver {

/// Hashes a sequence of fields so that no two different sequences give the same bytes.
class KeyBuilder {
 public:
  explicit KeyBuilder(std::string_view domain) { add(domain); }
  KeyBuilder& add(std::string_view field);
  KeyBuilder& add(const Digest& digest) { return add(as_text(digest.bytes)); }
  KeyBuilder& add_number(std::uint64_t number);
  Digest finish() { return hasher_.finish(); }

 private:
  Hasher hasher_;
};

/// How one input stands in a key. The kinds keep an output id from being taken for a content
/// digest.
struct KeyInput {
  enum class Kind : std::uint8_t {
    Definition = 1,
    Output = 2,
    Content = 3
  };  // enter keys; append only
  Kind kind = Kind::Output;
  Digest digest;
};

DefinitionKey definition_key(std::string_view definition, std::span<const KeyInput> inputs);
ContentKey content_key(std::string_view definition, std::span<const KeyInput> inputs);
/// The whole tree after a step: what it was, and what the step changed (change_digest()).
OutputId output_id(const OutputId& parent, const Digest& changes);

}  // namespace mybuild::solver

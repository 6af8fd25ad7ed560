// SPDX-License-Identifier: Apache-2.0
#include "solver/key.h"

namespace mybuild::solver {

namespace {

Digest key(std::string_view domain, std::string_view definition, std::span<const KeyInput> inputs) {
  KeyBuilder builder(domain);
  builder.add(definition).add_number(inputs.size());
  for (const KeyInput& input : inputs) {
    builder.add_number(static_cast<std::uint64_t>(input.kind)).add(input.digest);
  }
  return builder.finish();
}

}  // namespace

KeyBuilder& KeyBuilder::add(std::string_view field) {
  add_number(field.size());
  hasher_.update(field);
  return *this;
}

KeyBuilder& KeyBuilder::add_number(std::uint64_t number) {
  std::array<std::byte, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(number >> (8 * i));
  }
  hasher_.update(bytes);
  return *this;
}

DefinitionKey definition_key(std::string_view definition, std::span<const KeyInput> inputs) {
  return DefinitionKey{key("mybuild.key.definition.v1", definition, inputs)};
}

ContentKey content_key(std::string_view definition, std::span<const KeyInput> inputs) {
  return ContentKey{key("mybuild.key.content.v1", definition, inputs)};
}

OutputId output_id(const OutputId& parent, const Digest& changes) {
  return OutputId{KeyBuilder("mybuild.output.v1").add(parent.digest).add(changes).finish()};
}

}  // namespace mybuild::solver

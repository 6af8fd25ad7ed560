// SPDX-License-Identifier: Apache-2.0
#include "solver/key.h"

#include <gtest/gtest.h>

namespace mybuild::solver {
namespace {

const Digest kA = Digest::of("a");
const Digest kB = Digest::of("b");

TEST(KeyBuilderTest, FieldsAreFramed) {
  // kaniko joined the parts of a key with a dash: "a-b","c" and "a","b-c" met.
  EXPECT_NE(KeyBuilder("d").add("ab").add("c").finish(),
            KeyBuilder("d").add("a").add("bc").finish());
  EXPECT_NE(KeyBuilder("d").add("").add("a").finish(), KeyBuilder("d").add("a").add("").finish());
  EXPECT_NE(KeyBuilder("d").add("a").finish(), KeyBuilder("da").finish());
}

TEST(KeyBuilderTest, EqualFieldsGiveEqualKeys) {
  EXPECT_EQ(KeyBuilder("d").add("a").add_number(7).finish(),
            KeyBuilder("d").add("a").add_number(7).finish());
}

TEST(KeyTest, TheDomainsAreApart) {
  const KeyInput input{KeyInput::Kind::Output, kA};
  EXPECT_NE(definition_key("run", {&input, 1}).digest, content_key("run", {&input, 1}).digest);
}

TEST(KeyTest, AnOutputIdIsNotTakenForAContentDigest) {
  const KeyInput output{KeyInput::Kind::Output, kA};
  const KeyInput content{KeyInput::Kind::Content, kA};
  EXPECT_NE(content_key("run", {&output, 1}), content_key("run", {&content, 1}));
}

TEST(KeyTest, TheOrderOfInputsCounts) {
  const KeyInput ab[] = {{KeyInput::Kind::Output, kA}, {KeyInput::Kind::Output, kB}};
  const KeyInput ba[] = {{KeyInput::Kind::Output, kB}, {KeyInput::Kind::Output, kA}};
  EXPECT_NE(content_key("run", ab), content_key("run", ba));
}

TEST(OutputIdTest, SpeaksForTheWholeTree) {
  EXPECT_NE(output_id(OutputId{kA}, kB), output_id(OutputId{kB}, kB));
  EXPECT_NE(output_id(OutputId{kA}, kA), output_id(OutputId{kA}, kB));
}

}  // namespace
}  // namespace mybuild::solver

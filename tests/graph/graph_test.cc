// SPDX-License-Identifier: Apache-2.0
#include "solver/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::solver {
namespace {

using testing::HasSubstr;

const oci::Platform kAmd64{"linux", "amd64", "", ""};
const oci::Platform kArm64{"linux", "arm64", "", ""};

VertexMeta named(std::string name) {
  VertexMeta meta;
  meta.name = std::move(name);
  return meta;
}

TEST(GraphBuilder, EqualVerticesAreOneAndKeepTheFirstName) {
  GraphBuilder builder;
  const Edge one = builder.add(SourceOp(LocalSource{"context"}), {}, kAmd64, named("one"));
  const Edge two = builder.add(SourceOp(LocalSource{"context"}), {}, kArm64, named("two"));
  EXPECT_EQ(one, two);
  EXPECT_EQ("one", builder.at(two).meta.name);
}

TEST(GraphBuilder, EqualVerticesRunAgainIfOneOfThemShould) {
  GraphBuilder builder;
  VertexMeta again = named("again");
  again.ignore_cache = true;
  const Edge one = builder.add(FileOp{false, {}}, {}, kAmd64, named("one"));
  builder.add(FileOp{false, {}}, {}, kAmd64, again);
  builder.add(FileOp{false, {}}, {}, kAmd64, named("three"));
  EXPECT_TRUE(builder.at(one).meta.ignore_cache);
}

TEST(GraphBuilder, ThePlatformCountsForCommandsOnly) {
  GraphBuilder builder;
  const Edge file = builder.add(FileOp{false, {}}, {}, kAmd64, {});
  EXPECT_EQ(file, builder.add(FileOp{false, {}}, {}, kArm64, {}));
  EXPECT_NE(builder.add(ExecOp{}, {file}, kAmd64, {}), builder.add(ExecOp{}, {file}, kArm64, {}));
}

TEST(GraphBuilder, InputsAreInTheIdentityInOrder) {
  GraphBuilder builder;
  const Edge a = builder.add(SourceOp(LocalSource{"a"}), {}, kAmd64, {});
  const Edge b = builder.add(SourceOp(LocalSource{"b"}), {}, kAmd64, {});
  EXPECT_NE(builder.add(FileOp{}, {a, b}, kAmd64, {}), builder.add(FileOp{}, {b, a}, kAmd64, {}));
  const Graph graph = std::move(builder).build();
  EXPECT_EQ(4U, graph.vertices().size());
}

TEST(Dump, ShowsInputsByNumberAndLeavesOutWhatIsOrdinary) {
  GraphBuilder builder;
  const Edge a = builder.add(SourceOp(LocalSource{"a"}), {}, kAmd64, named("[internal] load"));
  ExecOp op;
  op.args = {"x\xFF"};
  builder.add(std::move(op), {a}, kAmd64, {.name = "RUN x", .location = {}, .ignore_cache = true});
  const std::string text = dump_json(std::move(builder).build());
  EXPECT_THAT(text, HasSubstr("\"ignoreCache\": true"));
  EXPECT_THAT(text, HasSubstr("\"inputs\": [\n      0\n    ]"));
  EXPECT_THAT(text, testing::Not(HasSubstr("shmSize")));
}

}  // namespace
}  // namespace mybuild::solver

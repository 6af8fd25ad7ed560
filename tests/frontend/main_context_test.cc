// SPDX-License-Identifier: Apache-2.0
// Contexts as vertices: the engine solves the main one alone, before the build.
#include "frontend/dockerfile/main_context.h"

#include "tests/frontend/fake_resolver.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mybuild::frontend {
namespace {

const solver::HttpSource kUrl{
    .url = "https://me:secret@example.com/a?t=x", .filename = "a", .checksum = {}};
const solver::GitSource kGit{
    .remote = "https://example.com/a.git", .ref = "v1", .subdir = "d", .checksum = {}};

TEST(MainContext, SolvedAloneIsTheVertexOfTheBuild) {
  for (const MainContext& context :
       {MainContext(), MainContext(kUrl), MainContext(kGit), MainContext(ArchiveContext{}),
        MainContext(ArchiveContext{kUrl})}) {
    FrontendInput input = testing_support::input_of("FROM scratch\nCOPY . /\n");
    input.context = context;
    testing_support::FakeResolver resolver;
    const auto built = build_dockerfile(input, resolver);
    ASSERT_TRUE(built) << built.error().message();
    solver::GraphBuilder builder;
    const solver::Edge edge = lower_main_context(builder, context, input.build_platform);
    const solver::VertexId id = builder.at(edge).id;
    const auto vertices = built->graph.vertices();
    EXPECT_EQ(vertices.size(), edge.vertex + 2U);
    EXPECT_TRUE(std::any_of(vertices.begin(), vertices.end(),
                            [&](const solver::Vertex& one) { return one.id == id; }));
  }
}

TEST(MainContext, KeepsItsGitDirWhenItIsTold) {
  const auto with = [](const std::string& value) {
    return keeps_git_dir({{"BUILDKIT_CONTEXT_KEEP_GIT_DIR", value}});
  };
  EXPECT_TRUE(with("1"));
  EXPECT_TRUE(with("true"));
  EXPECT_FALSE(with("0"));
  EXPECT_FALSE(with(""));
  EXPECT_FALSE(with("yes"));
  EXPECT_FALSE(keeps_git_dir({}));
}

TEST(NamedContext, IsADirectoryUnlessItIsAnImage) {
  EXPECT_EQ(directory_of("n", LocalContext{}), solver::SourceOp(solver::LocalSource{"n"}));
  EXPECT_EQ(directory_of("n", kGit), solver::SourceOp(kGit));
  const auto http = directory_of("n", kUrl);
  ASSERT_TRUE(http);
  EXPECT_EQ(std::get<solver::HttpSource>(*http).filename, "context");
  EXPECT_FALSE(directory_of("n", ImageContext{}));
  EXPECT_FALSE(directory_of("n", LayoutContext{}));
}

TEST(NamedContext, IsNamedWithoutSecrets) {
  EXPECT_EQ(context_name("n", solver::LocalSource{"n"}), "[context n] load from client");
  EXPECT_EQ(context_name("n", kUrl), "[context n] https://example.com/a");
  EXPECT_EQ(context_name("n", kGit), "[internal] load git source https://example.com/a.git#v1:d");
}

}  // namespace
}  // namespace mybuild::frontend

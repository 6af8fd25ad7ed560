// SPDX-License-Identifier: Apache-2.0
// From a graph and what became of it, through the store, to an explanation.
#include "builder/explain/history.h"

#include "snapshotter/base/file.h"
#include "snapshotter/metadata.h"
#include "solver/key.h"

#include <gtest/gtest.h>

namespace mybuild::explain {
namespace {

constexpr char kDockerfile[] = "FROM a\nARG V\nCOPY f /\nRUN make\n";

class HistoryTest : public testing::Test {
 protected:
  void SetUp() override {
    metadata_ = snapshotter::Metadata::open(directory_.path() + "/state.db").value();
    history_ = make_history(metadata_->builds(), clock_);
  }

  /// FROM, COPY and RUN; each step is what its inputs make it.
  void make_build(const std::string& base, const std::string& file, const std::string& version) {
    solver::GraphBuilder builder;
    const auto meta = [](std::string name, int line) {
      return solver::VertexMeta{
          .name = std::move(name),
          .location = SourceLocation{
              .file = "Dockerfile", .first_line = line, .last_line = line, .excerpt = {}}};
    };
    const solver::Edge from =
        builder.add(solver::SourceOp{solver::ImageSource{
                        .reference = "a", .manifest = Digest::of(base), .chain = Digest::of(base)}},
                    {}, {}, meta("[1/3] FROM a", 1));
    const solver::Edge context =
        builder.add(solver::SourceOp{solver::LocalSource{"context"}}, {}, {},
                    {.name = "[internal] load build context", .location = {}});
    const solver::CopyAction action{
        .input = 1, .sources = {"/f"}, .dest = "/", .owner = {}, .mode = {}, .excludes = {}};
    const solver::Edge copy = builder.add(solver::FileOp{.has_base = true, .actions = {action}},
                                          {from, context}, {}, meta("[2/3] COPY f /", 3));
    solver::ExecOp make;
    make.args = {"/bin/sh", "-c", "make"};
    make.env = {"V=" + version};
    const solver::Edge run = builder.add(make, {copy}, {}, meta("[3/3] RUN make", 4));
    graph_ = std::move(builder).build();
    targets_ = {run};

    solved_ = {};
    solved_.vertices.resize(4);
    finish(from, base);
    finish(context, "");
    finish(copy, base + file);
    finish(run, base + file + version);
    auto& keys = solved_.vertices[copy.vertex].keys;
    keys.selected = {std::nullopt, keep_selection(file)};
  }

  void finish(solver::Edge edge, const std::string& result) {
    solver::VertexOutcome& outcome = solved_.vertices[edge.vertex];
    outcome.output.emplace();
    outcome.output->id.digest = result.empty() ? Digest() : Digest::of(result);
    outcome.keys.definition.digest = Digest::of("D" + result);
    outcome.keys.content.digest = Digest::of("C" + result);
  }

  Digest keep_selection(const std::string& content) {
    ops::SelectedSource source;
    ops::SelectedEntry file;
    file.entry.path = "f";
    file.entry.content = Digest::of(content);
    source.append({file});
    history_->selected(Digest::of("selection " + content), {source});
    return Digest::of("selection " + content);
  }

  void all_found() {
    for (solver::VertexOutcome& outcome : solved_.vertices) {
      outcome.cached = true;
      outcome.keys.content.digest = Digest();
    }
  }

  void add(const std::string& error = {}) {
    const Observed observed{.graph = graph_, .targets = targets_, .solved = solved_};
    FinishedBuild build;
    build.subject = {.dockerfile = "Dockerfile", .context = "/c", .target = {}, .platforms = {}};
    build.started = clock_.now();
    build.dockerfile = kDockerfile;
    build.error = error;
    build.observed = &observed;
    history_->add(build);
  }

  Explanation explained(const std::string& id = {}) { return history_->explain(id).value(); }

  TempDir directory_ = TempDir::create().value();
  SystemClock clock_;
  std::unique_ptr<snapshotter::Metadata> metadata_;
  std::unique_ptr<History> history_;
  solver::Graph graph_;
  std::vector<solver::Edge> targets_;
  solver::SolveResult solved_;
};

TEST_F(HistoryTest, TheFirstBuildIsLikeNothing) {
  make_build("b1", "f1", "1");
  add();
  const Explanation first = explained();
  ASSERT_EQ(first.steps.size(), 3U);
  EXPECT_EQ(first.steps[0].reason, Reason::Source);
  EXPECT_EQ(first.steps[2].reason, Reason::FirstBuild);
  EXPECT_EQ(first.build.steps, 2U);
  EXPECT_EQ(first.build.found, 0U);
}

TEST_F(HistoryTest, AChangedFileIsNamedAndTheStepAfterItPointsThere) {
  make_build("b1", "f1", "1");
  add();
  make_build("b1", "f2", "1");
  add();
  const Explanation second = explained();
  ASSERT_EQ(second.steps[1].differences.size(), 1U);
  ASSERT_TRUE(second.steps[1].differences[0].files_known);
  EXPECT_EQ(second.steps[1].differences[0].files[0].path, "f");
  ASSERT_TRUE(second.steps[2].cause);
  EXPECT_EQ(second.steps[2].cause->step, second.steps[1].index);
}

TEST_F(HistoryTest, AChangedArgumentIsNamed) {
  make_build("b1", "f1", "1");
  add();
  make_build("b1", "f1", "2");
  add();
  const Difference difference = explained().steps[2].differences.at(0);
  EXPECT_EQ(difference.kind, FactKind::BuildArg);
  EXPECT_EQ(difference.was, "1");
  EXPECT_EQ(difference.is, "2");
}

TEST_F(HistoryTest, AChangedBaseIsNamed) {
  make_build("b1", "f1", "1");
  add();
  make_build("b2", "f1", "1");
  add();
  const Explanation second = explained();
  EXPECT_EQ(second.steps[0].differences.at(0).is, Digest::of("b2").str());
  EXPECT_EQ(second.steps[1].differences.at(0).kind, FactKind::Base);
}

TEST_F(HistoryTest, ABuildThatRunsNothingAndRepeatsTheNewestIsCounted) {
  make_build("b1", "f1", "1");
  add();
  all_found();
  add();
  add();
  add();
  const auto list = history_->list().value();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].repeats, 2U);
  EXPECT_EQ(list[0].found, 2U);
  EXPECT_EQ(explained().steps[2].reason, Reason::FoundDefinition);
  EXPECT_EQ(explained(list[1].id).steps[2].reason, Reason::FirstBuild);
}

TEST_F(HistoryTest, OfAFailedBuildTheStepsAreToldAsFarAsItCame) {
  make_build("b1", "f1", "1");
  solved_.vertices[3].output.reset();
  solved_.failed_vertex = 3;
  solved_.failure = Error(ErrorKind::ProcessFailed, "no")
                        .at({.file = "Dockerfile", .first_line = 4, .last_line = 4, .excerpt = {}});
  add("no");
  EXPECT_EQ(explained().steps[2].state, StepState::Failed);
  EXPECT_EQ(explained().build.error, "no");
  add("no");
  EXPECT_EQ(explained().steps[2].reason, Reason::NeverFinished);
}

TEST_F(HistoryTest, ABuildWithoutStepsIsKept) {
  FinishedBuild build;
  build.error = "no Dockerfile";
  history_->add(build);
  EXPECT_TRUE(explained().steps.empty());
  EXPECT_FALSE(explained().facts_lost);
  EXPECT_EQ(explained().build.error, "no Dockerfile");
}

TEST_F(HistoryTest, ABuildIsFoundByTheBeginningOfItsId) {
  EXPECT_EQ(history_->explain("").error().kind(), ErrorKind::NotFound);
  make_build("b1", "f1", "1");
  add();
  const std::string id = history_->list().value()[0].id;
  EXPECT_EQ(explained(id.substr(0, 6)).build.id, id);
  const auto unknown = history_->explain("nosuch");
  EXPECT_EQ(unknown.error().message(), "no such build: nosuch");
  EXPECT_NE(unknown.error().hint().find(id), std::string::npos);
}

TEST_F(HistoryTest, AnotherProcessExplainsTheNewest) {
  make_build("b1", "f1", "1");
  add();
  const auto other = make_history(metadata_->builds(), clock_);
  EXPECT_EQ(other->explain("").value().build.id, history_->list().value()[0].id);
}

}  // namespace
}  // namespace mybuild::explain

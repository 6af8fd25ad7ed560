// SPDX-License-Identifier: Apache-2.0
#include "builder/output_needs.h"

#include <gtest/gtest.h>

namespace mybuild::builder {
namespace {

using exporter::OutputSpec;
using exporter::OutputType;
using snapshotter::CompressionSpec;

constexpr CompressionSpec kGzip = {.compression = oci::Compression::Gzip, .level = {}};
constexpr CompressionSpec kZstd = {.compression = oci::Compression::Zstd, .level = 7};

OutputSpec output(OutputType type, std::string dest = "", CompressionSpec form = kGzip) {
  OutputSpec spec;
  spec.type = type;
  spec.dest = std::move(dest);
  spec.compression = form;
  return spec;
}

/// FROM tools / RUN tool in a stage of its own; FROM base / RUN first / RUN app / COPY --from
/// --link the tool.
class OutputNeedsTest : public ::testing::Test {
 protected:
  OutputNeedsTest() {
    base_ = add(solver::SourceOp{solver::ImageSource{.reference = {}, .manifest = {}, .chain = {}}},
                {});
    tools_ = add(solver::SourceOp{solver::ImageSource{
                     .reference = {}, .manifest = Digest::of("tools"), .chain = {}}},
                 {});
    tool_ = add(run("tool"), {tools_});
    first_ = add(run("first"), {base_});
    app_ = add(run("app"), {first_});
    copy_ = add(solver::FileOp{.has_base = false, .actions = {}}, {tool_});
    root_ = add(solver::MergeOp{}, {app_, copy_});
    graph_ = std::move(builder_).build();
  }

  solver::Edge add(solver::OpSpec op, std::vector<solver::Edge> inputs) {
    return builder_.add(std::move(op), std::move(inputs), oci::host_platform(), {});
  }
  static solver::ExecOp run(const std::string& command) {
    solver::ExecOp op;
    op.args = {command};
    return op;
  }

  OutputNeeds needs(const std::vector<OutputSpec>& outputs) {
    return output_needs(graph_, std::span(&root_, 1), outputs);
  }
  ops::WantedBlobs wanted(const std::vector<OutputSpec>& outputs) { return needs(outputs).blobs; }
  std::vector<CompressionSpec> of(const ops::WantedBlobs& wanted, solver::Edge edge) {
    const auto forms = wanted.of(graph_.at(edge).id);
    return {forms.begin(), forms.end()};
  }

  solver::GraphBuilder builder_;
  solver::Graph graph_;
  solver::Edge base_, tools_, tool_, first_, app_, copy_, root_;
};

using Forms = std::vector<CompressionSpec>;

TEST_F(OutputNeedsTest, OfTheLayersOfAnImageThatLeavesTheStore) {
  for (const OutputSpec& spec : {output(OutputType::Oci, "a.tar"), output(OutputType::Registry),
                                 output(OutputType::Docker, "a.tar")}) {
    const ops::WantedBlobs blobs = wanted({spec});
    EXPECT_EQ(of(blobs, app_), Forms{kGzip});
    EXPECT_EQ(of(blobs, copy_), Forms{kGzip}) << "a merge puts it into the image";
    EXPECT_EQ(of(blobs, tool_), Forms{}) << "files of it are copied, its layer goes nowhere";
    EXPECT_EQ(of(blobs, first_), Forms{kGzip}) << "it is read once, though the next step waits";
    EXPECT_TRUE(blobs.last.contains(graph_.at(app_).id) &&
                blobs.last.contains(graph_.at(copy_).id));
    EXPECT_FALSE(blobs.last.contains(graph_.at(first_).id)) << "what follows may fail";
  }
}

TEST_F(OutputNeedsTest, NoneForWhatStaysHereOrGetsOtherTimes) {
  OutputSpec clamped = output(OutputType::Oci, "a.tar");
  clamped.rewrite_timestamp = true;
  for (const OutputSpec& spec :
       {output(OutputType::Image), output(OutputType::Local, "a"), output(OutputType::Tar, "a"),
        output(OutputType::CacheOnly), output(OutputType::Docker), clamped}) {
    EXPECT_TRUE(wanted({spec}).forms.empty());
  }
  OutputSpec pushed = output(OutputType::Image);
  pushed.push = true;
  EXPECT_EQ(of(wanted({pushed}), app_), Forms{kGzip});
  OutputSpec kept = output(OutputType::Image);
  kept.keep_blobs = true;
  EXPECT_EQ(of(wanted({kept}), app_), Forms{kGzip});
}

TEST_F(OutputNeedsTest, TheBaseOfTheResultIsFetchedAsItsOutputsNeedIt) {
  using Part = ops::BasePrefetch::Part;
  const OutputNeeds stored = needs({output(OutputType::Image)});
  EXPECT_EQ(stored.bases, std::set{graph_.at(base_).id}) << "other stages may come from the cache";
  EXPECT_EQ(stored.of_bases, std::set{Part::Trees});
  EXPECT_EQ(needs({output(OutputType::Oci, "a.tar")}).of_bases, std::set{Part::Blobs});
  EXPECT_TRUE(needs({output(OutputType::CacheOnly)}).of_bases.empty());
  EXPECT_TRUE(needs({output(OutputType::Registry)}).of_bases.empty())
      << "where it goes they may be already";
}

TEST_F(OutputNeedsTest, EachFormOnce) {
  CompressionSpec forced = kGzip;
  forced.force = true;
  const ops::WantedBlobs blobs =
      wanted({output(OutputType::Oci, "a.tar", forced), output(OutputType::Registry),
              output(OutputType::Docker, "b.tar", kZstd)});
  EXPECT_EQ(of(blobs, app_), (Forms{kGzip, kZstd}));
}

}  // namespace
}  // namespace mybuild::builder

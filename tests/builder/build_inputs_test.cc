// SPDX-License-Identifier: Apache-2.0
// Where the Dockerfile and the files of a build come from.
#include "builder/build_inputs.h"

#include "builder/context_spec.h"
#include "builder/stdin_context.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::builder {
namespace {

using testing::HasSubstr;

/// Shows a directory of this machine as whatever is asked for.
class FakeOpener final : public ContextOpener {
 public:
  explicit FakeOpener(std::string directory) : directory_(std::move(directory)) {}

  Result<std::shared_ptr<const snapshotter::TreeView>> open(
      const frontend::MainContext& context,
      const std::map<std::string, source::SourceTree>&) override {
    const bool is_file = std::holds_alternative<solver::HttpSource>(context);
    opened.push_back(is_file ? "file" : "tree");
    return view(is_file ? directory_ + "/download" : directory_);
  }
  Result<std::shared_ptr<const snapshotter::TreeView>> open_url(const std::string& url,
                                                                const std::string& name) override {
    opened.push_back(url + " as " + name);
    return view(directory_);
  }

  std::vector<std::string> opened;

 private:
  static Result<std::shared_ptr<const snapshotter::TreeView>> view(const std::string& path) {
    std::shared_ptr<const snapshotter::TreeView> view = TRY(snapshotter::open_directory_view(path));
    return view;
  }

  std::string directory_;
};

class BuildInputsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(make_dirs(path("tree/sub")));
    ASSERT_TRUE(make_dirs(path("tree/download")));
    write("tree/Dockerfile", "of the tree");
    write("tree/sub/dockerfile", "of the folder");
    write("tree/Dockerfile.dockerignore", "hidden");
    write("own", "of this machine");
  }

  std::string path(const std::string& name) { return directory_.path() + "/" + name; }
  void write(const std::string& name, std::string_view text) {
    ASSERT_TRUE(write_file(path(name), text));
  }
  Result<BuildInputs> read(const std::string& context, const std::string& dockerfile = {}) {
    request_.context = context;
    request_.dockerfile = dockerfile;
    return read_build_inputs(request_, opener_);
  }
  std::string text_of(const std::string& context, const std::string& dockerfile = {}) {
    const auto inputs = read(context, dockerfile);
    return inputs ? inputs->text : "error: " + inputs.error().message();
  }

  TempDir directory_ = TempDir::create().value();
  BuildRequest request_;
  FakeOpener opener_{directory_.path() + "/tree"};
};

constexpr char kGit[] = "https://h.org/a.git";

TEST_F(BuildInputsTest, ADirectoryNeedsNoOpenerAndHasAnIgnoreFile) {
  const auto inputs = read(path("tree"));
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->text, "of the tree");
  EXPECT_EQ(inputs->directories.at("context").ignore, std::vector<std::string>{"hidden"});
  EXPECT_TRUE(opener_.opened.empty());
  EXPECT_FALSE(has_remote_inputs(request_));
}

TEST_F(BuildInputsTest, ADockerfileOfARepositoryLiesInIt) {
  const auto inputs = read(kGit);
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->text, "of the tree");
  EXPECT_TRUE(inputs->directories.empty());  // no ignore file has a say
  EXPECT_EQ(std::get<solver::GitSource>(inputs->context).remote, kGit);
  EXPECT_EQ(text_of(kGit, "sub/Dockerfile"), "of the folder");  // the other spelling
  EXPECT_EQ(text_of(kGit, "../../sub/dockerfile"), "of the folder");
  EXPECT_THAT(text_of(kGit, "nosuch"), HasSubstr("has no nosuch"));
  EXPECT_THAT(text_of(kGit, "sub"), HasSubstr("sub is not a file"));
}

TEST_F(BuildInputsTest, ADockerfileMayComeFromElsewhere) {
  EXPECT_EQ(text_of(kGit, path("own")), "of this machine");
  EXPECT_EQ(text_of(path("tree"), path("own")), "of this machine");
  EXPECT_EQ(text_of(path("tree"), "http://h.org/x/df"), "of the tree");
  EXPECT_EQ(opener_.opened.back(), "http://h.org/x/df as Dockerfile");
  EXPECT_TRUE(has_remote_inputs(request_));
}

TEST_F(BuildInputsTest, ADownloadIsADockerfileOrAnArchive) {
  write("tree/download/context", "text");
  EXPECT_EQ(text_of("http://h.org/file"), "text");
  EXPECT_EQ(text_of("http://h.org/file", "ignored"), "text");
  write("tree/download/context", std::string("\x1f\x8b\x08", 3) + "…");
  const auto inputs = read("http://h.org/file");
  ASSERT_TRUE(inputs);
  EXPECT_TRUE(std::holds_alternative<frontend::ArchiveContext>(inputs->context));
  EXPECT_EQ(inputs->text, "of the tree");
}

TEST_F(BuildInputsTest, GitDirectoriesAreKeptOnDemand) {
  request_.build_args["BUILDKIT_CONTEXT_KEEP_GIT_DIR"] = "1";
  const auto inputs = read(kGit);
  ASSERT_TRUE(inputs);
  EXPECT_TRUE(std::get<solver::GitSource>(inputs->context).keep_git_dir);
}

TEST_F(BuildInputsTest, NamedContextsAreOfAllKinds) {
  request_.contexts = {{"a", path("tree")},
                       {"b", kGit},
                       {"c", "http://h.org/x.tar"},
                       {"d", "docker-image://alpine"},
                       {"e", "oci-layout://dir:tag"}};
  const auto inputs = read(path("tree"));
  ASSERT_TRUE(inputs);
  EXPECT_TRUE(inputs->directories.contains("a"));
  EXPECT_TRUE(std::holds_alternative<frontend::LocalContext>(inputs->contexts.at("a")));
  EXPECT_TRUE(std::holds_alternative<solver::GitSource>(inputs->contexts.at("b")));
  EXPECT_EQ(std::get<solver::HttpSource>(inputs->contexts.at("c")).filename, "context");
  EXPECT_TRUE(std::holds_alternative<frontend::ImageContext>(inputs->contexts.at("d")));
  EXPECT_EQ(std::get<frontend::LayoutContext>(inputs->contexts.at("e")).tag, "tag");
}

TEST_F(BuildInputsTest, ANamedContextNeverTakesThePlaceOfTheMainOne) {
  request_.contexts = {{"context", path("tree/sub")}};
  const auto inputs = read(path("tree"));
  ASSERT_TRUE(inputs);
  EXPECT_EQ(inputs->directories.at("context").path, path("tree"));
  EXPECT_EQ(inputs->directories.at("_context").path, path("tree/sub"));
}

TEST_F(BuildInputsTest, MistakesAreNamed) {
  EXPECT_THAT(text_of(path("nosuch")), HasSubstr("has no Dockerfile"));
  request_.contexts = {{"n", path("own")}};
  EXPECT_THAT(text_of(path("tree")), HasSubstr("is not a directory"));
  request_.contexts = {{"n", "target:x"}};
  EXPECT_THAT(text_of(path("tree")), HasSubstr("bake"));
  request_.contexts = {{"n", "https://h.org/a.git?no=such"}};
  EXPECT_THAT(text_of(path("tree")), HasSubstr("no"));
}

TEST(StdinContext, IsTextOrAnArchive) {
  StringSource text("FROM scratch\n");
  EXPECT_EQ(std::get<std::string>(read_stdin_context(text, 100).value()), "FROM scratch\n");
  StringSource nothing("");
  EXPECT_EQ(std::get<std::string>(read_stdin_context(nothing, 100).value()), "");
  const std::string long_text(5000, 'x');
  StringSource endless(long_text);
  EXPECT_FALSE(read_stdin_context(endless, 3000));

  const std::string bytes = "BZh" + std::string(3000, 'x');
  StringSource archive(bytes);
  const auto tree = std::get<source::SourceTree>(read_stdin_context(archive, 100).value());
  EXPECT_EQ(tree.id, Digest::of(bytes));
  const auto file = tree.view->lookup("context").value();
  ASSERT_TRUE(file);
  for (int i = 0; i < 2; ++i) {  // every reader begins at the start
    FileSource content(tree.view->open(*file).value());
    EXPECT_EQ(read_all(content, 1 << 20).value(), bytes);
  }
}

TEST(ContextSpec, KnowsAnArchiveByItsFirstBytes) {
  EXPECT_TRUE(looks_like_archive(as_bytes(std::string_view("\x28\xb5\x2f\xfd"))));
  EXPECT_TRUE(
      looks_like_archive(as_bytes(std::string_view("\xfd"
                                                   "7zXZ\0",
                                                   6))));
  EXPECT_FALSE(looks_like_archive(as_bytes(std::string_view("FROM scratch"))));
  EXPECT_FALSE(looks_like_archive({}));
  const std::string zeros(1024, '\0');
  EXPECT_FALSE(looks_like_archive(as_bytes(std::string_view(zeros))));
}

}  // namespace
}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/run_options.h"

#include "cmd/mybuild/cli/volume_spec.h"
#include "snapshotter/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<RunOptions> read(const std::vector<std::string>& args) {
  RunOptions options;
  FlagSet flags;
  kRunCommand.add_flags(flags, options);
  auto parsed = TRY(flags.parse(args, kRunCommand.order));
  TRY(kRunCommand.finish(options, parsed.positionals));
  return options;
}

TEST(RunOptions, OptionsEndAtTheImage) {
  const auto got = read({"--rm",
                         "-e",
                         "A=1",
                         "-eB",
                         "-w",
                         "/x",
                         "-u",
                         "me:us",
                         "--entrypoint=",
                         "--network=none",
                         "--name=n",
                         "-h",
                         "host",
                         "--init",
                         "-i",
                         "image",
                         "sh",
                         "-c",
                         "-e",
                         "--rm"});
  ASSERT_TRUE(got) << got.error().message();
  const run::RunRequest& request = got->request;
  EXPECT_EQ(request.image, "image");
  EXPECT_THAT(request.args, ElementsAre("sh", "-c", "-e", "--rm"));
  EXPECT_THAT(request.env, ElementsAre("A=1", "B"));
  EXPECT_EQ(request.workdir, "/x");
  EXPECT_EQ(request.user, "me:us");
  EXPECT_EQ(request.entrypoint, "");
  EXPECT_EQ(request.network, sandbox::Network::None);
  EXPECT_EQ(request.name, "n");
  EXPECT_EQ(request.hostname, "host");
  EXPECT_TRUE(request.init);
  EXPECT_TRUE(request.interactive);
  EXPECT_FALSE(request.terminal);
}

TEST(RunOptions, AnImageIsNeeded) {
  EXPECT_EQ(read({"--rm"}).error().message(), "\"mybuild run\" requires at least 1 argument");
}

TEST(RunOptions, VolumesAreDirectoriesOfTheHostOrNamedOrNeither) {
  using Kind = run::Volume::Kind;
  const auto plain = parse_volume("/a:/b", "/cwd");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->kind, Kind::Bind);
  EXPECT_EQ(plain->source, "/a");
  EXPECT_EQ(plain->target, "/b");
  EXPECT_FALSE(plain->read_only);
  EXPECT_EQ(parse_volume("./x:/b", "/cwd")->source, "/cwd/x");
  EXPECT_EQ(parse_volume("..:/b", "/cwd/deep")->source, "/cwd");
  EXPECT_TRUE(parse_volume("/a:/b:ro", "/")->read_only);
  EXPECT_FALSE(parse_volume("/a:/b:rw", "/")->read_only);
  const auto named = parse_volume("name:/b/:ro,nocopy", "/cwd");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->kind, Kind::Named);
  EXPECT_EQ(named->source, "name");
  EXPECT_EQ(named->target, "/b");
  EXPECT_TRUE(named->read_only);
  EXPECT_FALSE(named->copy);
  const auto anonymous = parse_volume("/only", "/cwd");
  ASSERT_TRUE(anonymous);
  EXPECT_EQ(anonymous->kind, Kind::Anonymous);
  EXPECT_EQ(anonymous->target, "/only");
  const std::pair<std::string_view, std::string_view> kBad[] = {
      {"only", "absolute path"},
      {"/a:b", "absolute path"},
      {":/b", "absolute path"},
      {"/a:", "absolute path"},
      {"/a:/b:zz", "unknown volume mode"},
      {"/a:/b:nocopy", "unknown volume mode 'nocopy'"},
      {"name:/b:cached", "unknown volume mode 'cached'"},
      {"/a:/b:ro,shared", "volume mode 'shared' is not supported yet"},
      {"/a:/b:ro,rw", "volume modes 'ro,rw' contradict each other"},
      {"/a:/b:z,Z", "contradict each other"},
  };
  for (const auto& [text, message] : kBad) {
    const auto got = parse_volume(text, "/");
    ASSERT_FALSE(got) << text;
    EXPECT_THAT(got.error().message(), HasSubstr(message)) << text;
  }
}

TEST(RunOptions, VolumeModesWithoutEffectHereAreTaken) {
  for (const char* modes : {"z", "Z", "cached", "consistent", "delegated", "rprivate", "Z,rw"}) {
    const auto volume = parse_volume(fmt::format("/a:/b:{}", modes), "/");
    ASSERT_TRUE(volume) << modes;
    EXPECT_FALSE(volume->read_only) << modes;
  }
  EXPECT_TRUE(parse_volume("/a:/b:z,ro", "/")->read_only);
  EXPECT_TRUE(parse_volume("name:/b:z", "/")->copy);
}

TEST(RunOptions, LabelsOfTheCommandLineWinOverTheirFile) {
  const auto dir = TempDir::create();
  ASSERT_TRUE(write_file(dir->path() + "/labels", "a=file\nb\n# c=1\nd=x=y\n"));
  const auto got = read({"-l", "a=flag", "--label-file", dir->path() + "/labels", "image"});
  ASSERT_TRUE(got) << got.error().message();
  const std::map<std::string, std::string> want = {{"a", "flag"}, {"b", ""}, {"d", "x=y"}};
  EXPECT_EQ(got->request.labels, want);
}

TEST(RunOptions, PullPoliciesAreDockers) {
  using builder::PullPolicy;
  EXPECT_EQ(read({"image"})->pull, PullPolicy::Missing);
  EXPECT_EQ(read({"--pull=always", "image"})->pull, PullPolicy::Always);
  EXPECT_EQ(read({"--pull", "never", "image"})->pull, PullPolicy::Never);
  EXPECT_EQ(read({"--platform=linux/arm64/v8", "image"})->platform,
            oci::parse_platform("arm64").value());
  EXPECT_FALSE(read({"image"})->platform);
  EXPECT_THAT(read({"--pull", "x", "image"}).error().message(), HasSubstr("unknown policy 'x'"));
}

TEST(RunOptions, AContainerStaysUnlessRmSaysOtherwise) {
  EXPECT_FALSE(read({"image"})->request.auto_remove);
  EXPECT_TRUE(read({"--rm", "image"})->request.auto_remove);
  EXPECT_FALSE(read({"--rm=false", "image"})->request.auto_remove);
  EXPECT_EQ(read({"--cidfile", "f", "image"})->request.id_file, "f");
}

TEST(RunOptions, EnvFilesHaveCommentsAndInheritedNames) {
  const auto got = parse_env_file("# c\n\nA=1\r\n  B=2 3\nC\nD=\n");
  ASSERT_TRUE(got);
  EXPECT_THAT(*got, ElementsAre("A=1", "B=2 3", "C", "D="));
  EXPECT_EQ(parse_env_file("A=1\nB C=2\n").error().message(),
            "line 2: 'B C' is not a variable name");
  EXPECT_FALSE(parse_env_file("=x"));
}

TEST(RunOptions, DashEWinsOverTheEnvFile) {
  const auto dir = TempDir::create();
  ASSERT_TRUE(dir);
  ASSERT_TRUE(write_file(dir->path() + "/env", "A=file\n"));
  const auto got = read({"-e", "A=flag", "--env-file", dir->path() + "/env", "image"});
  ASSERT_TRUE(got);
  EXPECT_THAT(got->request.env, ElementsAre("A=file", "A=flag"));
}

TEST(RunOptions, DockersOtherOptionsAreRefusedByName) {
  EXPECT_EQ(read({"-p", "80:80", "image"}).error().message(), "--publish is not supported yet");
  EXPECT_EQ(read({"-d", "image"}).error().message(), "--detach is not supported yet");
  EXPECT_EQ(read({"--privileged", "image"}).error().message(), "--privileged is not supported yet");
}

}  // namespace
}  // namespace mybuild::cli

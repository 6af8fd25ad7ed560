// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/build_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>

namespace mybuild::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

/// Sets or unsets a variable for the time of a test.
class ScopedEnv {
 public:
  ScopedEnv(const char* name, const char* value) : name_(name) {
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  ScopedEnv(const ScopedEnv&) = delete;
  ScopedEnv& operator=(const ScopedEnv&) = delete;
  ~ScopedEnv() { ::unsetenv(name_); }

 private:
  const char* name_;
};

Result<BuildOptions> read(const std::vector<std::string>& args) {
  BuildOptions options;
  FlagSet flags;
  kBuildCommand.add_flags(flags, options);
  auto parsed = TRY(flags.parse(args, kBuildCommand.order));
  TRY(kBuildCommand.finish(options, parsed.positionals));
  return options;
}

std::string error_of(const std::vector<std::string>& args) {
  const auto got = read(args);
  return got ? "" : got.error().message();
}

class BuildOptionsTest : public testing::Test {
  ScopedEnv epoch_{"SOURCE_DATE_EPOCH", nullptr};
  ScopedEnv platform_{"DOCKER_DEFAULT_PLATFORM", nullptr};
  ScopedEnv progress_{"BUILDKIT_PROGRESS", nullptr};
};

TEST_F(BuildOptionsTest, SayWhatIsDoneWithAFailedStep) {
  EXPECT_EQ(read({"."})->request.on_error, builder::OnError::Discard);
  EXPECT_EQ(read({"--on-error=keep", "."})->request.on_error, builder::OnError::Keep);
  EXPECT_TRUE(read({"--export-failed", "-o", "out", "."})->request.export_failed);
  EXPECT_EQ(
      error_of({"--on-error=debug", "."}),
      "invalid argument \"debug\" for \"--on-error\" flag: --on-error is discard, keep or shell, "
      "not 'debug'");
  EXPECT_EQ(error_of({"--export-failed", "--push", "-t", "h.org/a", "."}),
            "--export-failed does not push");
  if (::isatty(STDIN_FILENO) == 0) {
    EXPECT_EQ(error_of({"--on-error=shell", "."}),
              "--on-error=shell needs a terminal on standard input");
  }
}

TEST_F(BuildOptionsTest, ATypicalLineBecomesARequest) {
  const auto got = read({"-f",
                         "a/Dockerfile",
                         "-t",
                         "one",
                         "-t",
                         "localhost:5000/two:3",
                         "--target=build",
                         "--build-arg",
                         "A=1",
                         "--build-arg=B=x=y",
                         "--label",
                         "l=v",
                         "--platform",
                         "linux/amd64,linux/arm64",
                         "--platform=linux/amd64",
                         "--no-cache-filter=a,b",
                         "--pull",
                         "--context-verify=full",
                         "--build-context",
                         "src=../src",
                         "--network=none",
                         "--add-host",
                         "h:1.2.3.4",
                         "--shm-size=1g",
                         "--ulimit",
                         "nofile=5",
                         "--jobs=3",
                         "--provenance=false",
                         "--sbom=false",
                         "--rm",
                         "--no-cache=true",
                         "."});
  ASSERT_TRUE(got) << got.error().message();
  const builder::BuildRequest& request = got->request;
  EXPECT_EQ(request.context, ".");
  EXPECT_EQ(request.dockerfile, "a/Dockerfile");
  ASSERT_EQ(request.names.size(), 2U);
  EXPECT_EQ(request.names[1].str(), "localhost:5000/two:3");
  EXPECT_EQ(request.target, "build");
  EXPECT_THAT(request.build_args, ElementsAre(Pair("A", "1"), Pair("B", "x=y")));
  EXPECT_THAT(request.labels, ElementsAre(Pair("l", "v")));
  EXPECT_EQ(request.platforms.size(), 2U);
  EXPECT_THAT(request.no_cache_filter, ElementsAre("a", "b"));
  EXPECT_TRUE(request.pull);
  EXPECT_TRUE(request.reread_contexts);
  EXPECT_TRUE(request.no_cache);
  EXPECT_THAT(request.contexts, ElementsAre(Pair("src", "../src")));
  EXPECT_EQ(request.network, solver::NetworkMode::None);
  EXPECT_THAT(request.extra_hosts, ElementsAre("h=1.2.3.4"));
  EXPECT_EQ(request.shm_size, std::uint64_t{1} << 30);
  EXPECT_EQ(request.ulimits.size(), 1U);
  EXPECT_EQ(request.jobs, 3U);
  EXPECT_TRUE(request.outputs.empty());
}

TEST_F(BuildOptionsTest, ABuildArgWithoutValueComesFromTheEnvironment) {
  const ScopedEnv set("MYBUILD_TEST_SET", "here");
  const ScopedEnv unset("MYBUILD_TEST_UNSET", nullptr);
  const auto got =
      read({"--build-arg", "MYBUILD_TEST_SET", "--build-arg", "MYBUILD_TEST_UNSET", "."});
  ASSERT_TRUE(got);
  EXPECT_THAT(got->request.build_args, ElementsAre(Pair("MYBUILD_TEST_SET", "here")));
}

TEST_F(BuildOptionsTest, AContextIsVerifiedByStatOrInFull) {
  EXPECT_FALSE(read({"."})->request.reread_contexts);
  EXPECT_FALSE(
      read({"--context-verify=full", "--context-verify=stat", "."})->request.reread_contexts);
  EXPECT_FALSE(read({"--context-verify=mtime", "."}));
}

TEST_F(BuildOptionsTest, AnEmptyFilterLeavesNoStageOut) {
  EXPECT_TRUE(read({"--no-cache-filter=", "."})->request.no_cache);
  EXPECT_FALSE(read({"--no-cache-filter=a", "."})->request.no_cache);
}

TEST_F(BuildOptionsTest, SourceDateEpochComesFromArgumentOrEnvironment) {
  const auto args = [&](std::vector<std::string> words) { return read(words)->request.build_args; };
  EXPECT_THAT(args({"."}), testing::IsEmpty());
  const ScopedEnv epoch("SOURCE_DATE_EPOCH", "7");
  EXPECT_THAT(args({"."}), ElementsAre(Pair("SOURCE_DATE_EPOCH", "7")));
  EXPECT_THAT(args({"--build-arg", "SOURCE_DATE_EPOCH=5", "."}),
              ElementsAre(Pair("SOURCE_DATE_EPOCH", "5")));
  EXPECT_THAT(args({"--build-arg", "SOURCE_DATE_EPOCH=", "."}),
              ElementsAre(Pair("SOURCE_DATE_EPOCH", "")))
      << "switched off for this build";
}

TEST_F(BuildOptionsTest, DefaultsOfPlatformAndProgressComeFromTheEnvironment) {
  const ScopedEnv platform("DOCKER_DEFAULT_PLATFORM", "linux/arm64");
  const ScopedEnv progress("BUILDKIT_PROGRESS", "plain");
  EXPECT_EQ(read({"."})->request.platforms.at(0).architecture, "arm64");
  EXPECT_EQ(read({"--platform=linux/amd64", "."})->request.platforms.at(0).architecture, "amd64");
  EXPECT_EQ(read({"."})->progress, progress::Mode::Plain);
  EXPECT_EQ(read({"--progress=tty", "."})->progress, progress::Mode::Tty);
  EXPECT_TRUE(read({"-q", "."}));
}

TEST_F(BuildOptionsTest, LoadAddsTheStoreToOutputsThatLeaveItOut) {
  using Types = std::vector<exporter::OutputType>;
  using enum exporter::OutputType;
  const auto types = [](std::vector<std::string> args) {
    args.emplace_back(".");
    const auto options = read(args);
    Types found;
    for (const auto& output : options->request.outputs) {
      found.push_back(output.type);
    }
    return found;
  };
  EXPECT_EQ(types({"--load"}), (Types{Image, Docker}));
  EXPECT_EQ(types({"--load=false"}), Types{});
  EXPECT_EQ(types({"-o", "type=docker"}), (Types{Image, Docker}));
  EXPECT_EQ(types({"--load", "-o", "out"}), (Types{Local, Image, Docker}));
  EXPECT_EQ(types({"--load", "-o", "type=image"}), (Types{Image, Docker}));
  EXPECT_EQ(types({"--load", "-o", "type=docker"}), (Types{Image, Docker}));
  EXPECT_EQ(read({"-o", "type=docker,name=n", "."})->request.outputs[0].names.size(), 1U);
}

TEST_F(BuildOptionsTest, QuietGoesWithNoOtherProgress) {
  EXPECT_EQ(error_of({"-q", "--progress=plain", "."}),
            "--progress=plain and --quiet cannot be used together");
  EXPECT_TRUE(read({"-q", "--progress=quiet", "."}));
  EXPECT_TRUE(read({"-q", "--progress=auto", "."}));
}

TEST_F(BuildOptionsTest, TheContextIsADirectoryAUrlOrStandardInput) {
  EXPECT_EQ(error_of({}), "\"mybuild build\" requires exactly 1 argument, not 0");
  EXPECT_EQ(error_of({".", "."}), "\"mybuild build\" requires exactly 1 argument, not 2");
  EXPECT_EQ(error_of({"/no/such"}), "path \"/no/such\" not found");
  EXPECT_EQ(error_of({"/dev/null"}), "path \"/dev/null\" is not a directory");
  for (const std::string context : {"-", "https://x/y.git", "git@github.com:a/b", "github.com/a/b",
                                    "http://x/context.tar.gz", "file:///srv/a.git#v1:sub"}) {
    EXPECT_EQ(read({context})->request.context, context);
  }
  EXPECT_THAT(error_of({"https://x/y.git?no=such"}), HasSubstr("no"));
}

TEST_F(BuildOptionsTest, CachesAreNamedAsBuildxNamesThem) {
  using remote_cache::CacheSource;
  using remote_cache::CacheTarget;
  const auto options = read({"--cache-from=a/b:c,d", "--cache-from", "type=local,src=/x,tag=t",
                             "--cache-to=type=registry,ref=r:1,mode=max,compression=zstd,"
                             "compression-level=19,ignore-error=true,oci-mediatypes=true",
                             "--cache-to=type=local,dest=/y", "--cache-to=type=inline",
                             "--build-arg=BUILDKIT_INLINE_CACHE=1", "."});
  ASSERT_TRUE(options) << options.error().message();
  const auto& from = options->request.cache_from;
  ASSERT_EQ(from.size(), 3U);
  EXPECT_EQ(from[0].ref.str(), "docker.io/a/b:c");
  EXPECT_EQ(from[1].ref.str(), "docker.io/library/d:latest");
  EXPECT_EQ(from[2].type, CacheSource::Type::Local);
  EXPECT_EQ(from[2].src + from[2].tag, "/xt");
  const auto& to = options->request.cache_to;
  ASSERT_EQ(to.size(), 4U);
  EXPECT_TRUE(to[0].max && to[0].ignore_error);
  EXPECT_EQ(to[0].compression.compression, oci::Compression::Zstd);
  EXPECT_EQ(to[0].compression.level, 19);
  EXPECT_EQ(to[1].dest + to[1].tag, "/ylatest");
  EXPECT_TRUE(!to[1].max && to[1].ignore_error && !to[1].compression.force);
  EXPECT_EQ(to[2].type, CacheTarget::Type::Inline);
  EXPECT_EQ(to[3].type, CacheTarget::Type::Inline);
}

TEST_F(BuildOptionsTest, CachesThatMakeNoSenseAreRefused) {
  EXPECT_THAT(error_of({"--cache-from=type=gha", "."}), HasSubstr("'gha' is not supported"));
  EXPECT_THAT(error_of({"--cache-to=type=s3,bucket=x", "."}), HasSubstr("'s3' is not supported"));
  EXPECT_THAT(error_of({"--cache-to=type=nonsense", "."}), HasSubstr("unknown cache type"));
  EXPECT_THAT(error_of({"--cache-from=type=registry", "."}), HasSubstr("ref="));
  EXPECT_THAT(error_of({"--cache-from=type=local", "."}), HasSubstr("src="));
  EXPECT_THAT(error_of({"--cache-from=type=local,src=x,digest=1", "."}), HasSubstr("digest"));
  EXPECT_THAT(error_of({"--cache-to=type=local", "."}), HasSubstr("dest="));
  EXPECT_THAT(error_of({"--cache-to=type=local,dest=x,mode=full", "."}), HasSubstr("mode"));
  EXPECT_THAT(error_of({"--cache-to=type=inline,mode=max", "."}), HasSubstr("mode=min"));
  EXPECT_THAT(error_of({"--cache-to=type=inline,ref=x", "."}), HasSubstr("unknown cache option"));
  EXPECT_THAT(error_of({"--cache-to=type=local,dest=x,compression=lzma", "."}), HasSubstr("lzma"));
  EXPECT_THAT(error_of({"--cache-to=type=local,dest=x,compression-level=12", "."}),
              HasSubstr("compression-level"));
  EXPECT_THAT(error_of({"--cache-to=type=registry,ref=x,image-manifest=false", "."}),
              HasSubstr("image-manifest"));
  EXPECT_THAT(error_of({"--cache-to=type=registry,ref=x,ignore-errors=1", "."}),
              HasSubstr("ignore-errors"));
  const std::string digest = "x@" + Digest::of("x").str();
  EXPECT_THAT(error_of({"--cache-to=" + ("type=registry,ref=" + digest), "."}),
              HasSubstr("not to a digest"));
}

TEST_F(BuildOptionsTest, OptionsOfBuildxThatAreMissingAreRefusedByName) {
  for (const std::string name : {"attest", "builder", "cgroup-parent", "memory", "squash"}) {
    EXPECT_EQ(error_of({"--" + name, "."}), "--" + name + " is not supported yet");
  }
  EXPECT_THAT(error_of({"--provenance=mode=max", "."}),
              HasSubstr("attestations are not supported yet"));
  EXPECT_THAT(error_of({"--rm=false", "."}), HasSubstr("\"--rm\" flag"));
}

TEST_F(BuildOptionsTest, BadValuesAreNamed) {
  for (const std::string name : {"a b", "UPPER", "", "::linux/amd64", "n::a/b/c/d"}) {
    EXPECT_NE(error_of({"--build-context", name + "=dir", "."}), "") << name;
  }
  EXPECT_TRUE(read({"--build-context", "docker.io/library/n:1::linux/arm64=dir", "."}));
  EXPECT_THAT(error_of({"-t", "UPPER", "."}),
              HasSubstr("invalid argument \"UPPER\" for \"-t, --tag\" flag"));
  EXPECT_THAT(error_of({"--network=bridge", "."}), HasSubstr("there is no network 'bridge'"));
  EXPECT_THAT(error_of({"--progress=fancy", "."}), HasSubstr("there is no such form of progress"));
  EXPECT_THAT(error_of({"--platform=a/b/c/d/e", "."}), HasSubstr("--platform"));
  EXPECT_THAT(error_of({"--build-arg", "=x", "."}), HasSubstr("has no name"));
  EXPECT_THAT(error_of({"-o", "-", "-o", "type=oci", "."}), HasSubstr("stdout"));
}

TEST(BuildCall, AsksWhatItIsToldInTheFormItIsTold) {
  EXPECT_EQ(builder::Call::Build, read({"/tmp"})->call.call);
  EXPECT_EQ(builder::Call::Check, read({"--check", "/tmp"})->call.call);
  EXPECT_EQ(builder::Call::Build, read({"--call=build", "/tmp"})->call.call);
  const auto outline = read({"--call", "outline,format=json", "/tmp"});
  EXPECT_EQ(builder::Call::Outline, outline->call.call);
  EXPECT_EQ(AnswerFormat::Json, outline->call.format);
  const auto check = read({"--call=check,format=sarif,ignorestatus=true", "--check", "/tmp"});
  EXPECT_EQ(AnswerFormat::Sarif, check->call.format);
  EXPECT_TRUE(check->call.ignore_status);
}

TEST(BuildCall, RefusesWhatItCannotAnswer) {
  EXPECT_THAT(error_of({"--call=lsd", "/tmp"}), HasSubstr("there is no call 'lsd'"));
  EXPECT_THAT(error_of({"--call=check,format=xml", "/tmp"}), HasSubstr("no format 'xml'"));
  EXPECT_THAT(error_of({"--call=check,color=1", "/tmp"}), HasSubstr("unknown field 'color'"));
  EXPECT_THAT(error_of({"--call=targets,format=sarif", "/tmp"}), HasSubstr("only call=check"));
}

}  // namespace
}  // namespace mybuild::cli

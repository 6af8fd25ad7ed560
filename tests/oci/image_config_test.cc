// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/image_config.h"

#include "snapshotter/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::oci {
namespace {

using testing::HasSubstr;

constexpr char kFull[] =
    R"({"architecture":"arm","author":"me","config":{"User":"app:app","ExposedPorts":{"443/tcp":{},"80/tcp":{}},)"
    R"("Env":["PATH=/bin","A=b=c"],"Entrypoint":["/e"],"Cmd":["a \u0026\u0026 b","\u003c"],"Volumes":{"/data":{}},)"
    R"("WorkingDir":"/w","Labels":{"a":"1","b":"2"},"StopSignal":"SIGTERM","ArgsEscaped":true,)"
    R"("Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":5000000000,"Timeout":1,"StartPeriod":2,)"
    R"("StartInterval":3,"Retries":4},"OnBuild":["RUN x"],"Shell":["/bin/bash","-c"],"Memory":7},)"
    R"("created":"2024-02-03T04:05:06.5Z","history":[{"created":"2024-02-03T04:05:06Z","created_by":"COPY",)"
    R"("author":"me","comment":"buildkit.dockerfile.v0"},{"created_by":"ENV","empty_layer":true}],)"
    R"("os":"linux","os.features":["x"],"rootfs":{"type":"layers","diff_ids":[)"
    R"("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"]},"variant":"v7"})";

TEST(ImageConfig, AFullConfigSurvivesTheRoundTripByteForByte) {
  const ImageConfig config = parse_image_config(kFull).value();
  EXPECT_EQ(dump(config), kFull);
  EXPECT_EQ(parse_image_config(dump(config)).value(), config);
}

TEST(ImageConfig, FieldsLandWhereTheyBelong) {
  const ImageConfig config = parse_image_config(kFull).value();
  EXPECT_EQ(to_string(config.platform), "linux/arm/v7");
  EXPECT_EQ(config.cmd->at(0), "a && b");
  EXPECT_EQ(config.healthcheck->interval, std::chrono::seconds(5));
  EXPECT_EQ(config.healthcheck->retries, 4);
  EXPECT_EQ(config.unknown_top, R"({"os.features":["x"]})");
  EXPECT_EQ(config.unknown_config, R"({"Memory":7})");
  EXPECT_TRUE(config.history[1].empty_layer);
  EXPECT_FALSE(config.history[1].created);
}

TEST(ImageConfig, AnEmptyConfigHasOnlyWhatTheSpecRequires) {
  ImageConfig config;
  config.platform = {"linux", "amd64", "", ""};
  EXPECT_EQ(
      dump(config),
      R"({"architecture":"amd64","config":{},"os":"linux","rootfs":{"type":"layers","diff_ids":[]}})");
}

TEST(ImageConfig, AnEmptyCommandIsLeftOut) {
  ImageConfig config;
  config.cmd.emplace();
  config.entrypoint.emplace();
  EXPECT_EQ(dump(config).find("Cmd"), std::string::npos);
  EXPECT_EQ(dump(config).find("Entrypoint"), std::string::npos);
}

TEST(ImageConfig, NullsReadAsAbsent) {
  const ImageConfig config =
      parse_image_config(
          R"({"config":{"Cmd":null,"Env":null,"Labels":null,"Volumes":null,"Healthcheck":null},)"
          R"("rootfs":{"diff_ids":null},"history":null,"created":null})")
          .value();
  EXPECT_FALSE(config.cmd);
  EXPECT_FALSE(config.healthcheck);
  EXPECT_EQ(config.platform.os, "linux");
}

TEST(ImageConfig, TimesBeforeTheFirstRepresentableOneReadAsNone) {
  EXPECT_FALSE(parse_image_config(R"({"created":"0001-01-01T00:00:00Z"})").value().created);
  EXPECT_TRUE(parse_image_config(R"({"created":"1970-01-01T00:00:00Z"})").value().created);
}

TEST(ImageConfig, BrokenOnesNameThePlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "object"},
      {R"({"config":[]})", "config"},
      {R"({"config":{"Env":["A=1",2]}})", "config.Env[1]"},
      {R"({"config":{"Healthcheck":{"Interval":"5s"}}})", "config.Healthcheck.Interval"},
      {R"({"config":{"Healthcheck":{"Retries":99999999999}}})", "config.Healthcheck.Retries"},
      {R"({"rootfs":{"diff_ids":["nope"]}})", "rootfs.diff_ids[0]"},
      {R"({"history":[{"created":"yesterday"}]})", "history[0].created"},
  };
  for (const auto& [text, path] : cases) {
    const Result<ImageConfig> config = parse_image_config(text);
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().message(), HasSubstr(path));
  }
}

TEST(ImageConfig, VariablesAreReplacedInPlace) {
  ImageConfig config;
  config.set_env("A", "1");
  config.set_env("AB", "2");
  config.set_env("A", "3=4");
  EXPECT_THAT(config.env, testing::ElementsAre("A=3=4", "AB=2"));
  EXPECT_EQ(config.find_env("A"), "3=4");
  EXPECT_EQ(config.find_env("B"), std::nullopt);
}

TEST(ChainId, FollowsTheSpec) {
  const std::vector<Digest> diffs = {Digest::of("a"), Digest::of("b"), Digest::of("c")};
  EXPECT_TRUE(chain_id(diffs, 0).is_zero());
  EXPECT_EQ(chain_id(diffs, 1), diffs[0]);
  const Digest two = Digest::of(diffs[0].str() + " " + diffs[1].str());
  EXPECT_EQ(chain_id(diffs, 2), two);
  EXPECT_EQ(chain_id(diffs, 3), Digest::of(two.str() + " " + diffs[2].str()));
  EXPECT_EQ(chain_id(two, diffs[2]), chain_id(diffs, 3));
  EXPECT_EQ(chain_id(Digest{}, diffs[0]), diffs[0]);
}

}  // namespace
}  // namespace mybuild::oci

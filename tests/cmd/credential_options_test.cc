// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/credential_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// "id|file|env", or the error.
std::string secret(std::string_view text) {
  const auto spec = parse_secret(text);
  return spec ? fmt::format("{}|{}|{}", spec->id, spec->file, spec->env) : spec.error().message();
}

TEST(SecretOption, HasBuildxsForms) {
  EXPECT_EQ(secret("id=a"), "a||");
  EXPECT_EQ(secret("id=a,src=f"), "a|f|");
  EXPECT_EQ(secret("ID=a,Source=f"), "a|f|");
  EXPECT_EQ(secret("id=a,env=E"), "a||E");
  EXPECT_EQ(secret("id=a,type=env,src=E"), "a||E");
  EXPECT_EQ(secret("type=env,env=E,id=a,src=f"), "a|f|E");
  EXPECT_EQ(secret("id=a,type=env"), "a||");
  EXPECT_EQ(secret("id=a,type=file,src=f"), "a|f|");
  EXPECT_EQ(secret("id=a,\"src=with,comma\""), "a|with,comma|");
  EXPECT_EQ(secret("id=a,src=x=y"), "a|x=y|");
}

TEST(SecretOption, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(secret("a"), "invalid field 'a' must be a key=value pair");
  EXPECT_EQ(secret(""), "invalid field '' must be a key=value pair");
  EXPECT_EQ(secret("src=f"), "secret missing ID");
  EXPECT_EQ(secret("id=a,type=x"), "unsupported secret type \"x\"");
  EXPECT_EQ(secret("id=a,mode=1"), "unexpected key 'mode' in 'mode=1'");
}

TEST(SshOption, IsAnIdAndMaybePaths) {
  EXPECT_EQ(parse_ssh("default").id, "default");
  EXPECT_THAT(parse_ssh("default").paths, IsEmpty());
  EXPECT_THAT(parse_ssh("a=/sock").paths, ElementsAre("/sock"));
  EXPECT_THAT(parse_ssh("a=k1,k2=x").paths, ElementsAre("k1", "k2=x"));
  EXPECT_THAT(parse_ssh("a=").paths, ElementsAre(""));
  EXPECT_EQ(parse_ssh("=k").id, "");
}

TEST(AllowOption, NamesEntitlements) {
  builder::Entitlements allowed;
  EXPECT_TRUE(allow("", allowed));
  EXPECT_FALSE(allowed.network_host || allowed.security_insecure);
  EXPECT_TRUE(allow("network.host", allowed));
  EXPECT_TRUE(allowed.network_host && !allowed.security_insecure);
  EXPECT_TRUE(allow("security.insecure", allowed));
  EXPECT_TRUE(allowed.security_insecure);
  EXPECT_FALSE(allowed.devices.all);
  EXPECT_TRUE(allow("device", allowed));
  EXPECT_TRUE(allowed.devices.all);
  EXPECT_TRUE(allow("device=v.com/c=x", allowed));
  EXPECT_TRUE(allow("device=v.com/c=y,alias=z", allowed));
  EXPECT_THAT(allowed.devices.named,
              ElementsAre(testing::Pair("v.com/c=x", ""), testing::Pair("z", "v.com/c=y")));
  EXPECT_EQ(allow("device=v.com/c=y,as=z", allowed).error().message(),
            "invalid device config 'as=z'");
  EXPECT_EQ(allow("network.none", allowed).error().message(), "unknown entitlement network.none");
}

}  // namespace
}  // namespace mybuild::cli

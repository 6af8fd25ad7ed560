// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/serve_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::cli {
namespace {

using testing::ElementsAre;

template <class Options>
std::optional<Options> read(const Command<Options>& command, std::vector<std::string> args) {
  return read_command(command, args).options;
}

TEST(ServeOptions, WithoutAnyItListensOnLoopback) {
  const auto options = read(kServeCommand, {});
  ASSERT_TRUE(options);
  EXPECT_THAT(options->serve.listen, ElementsAre("127.0.0.1:5050"));
  EXPECT_FALSE(options->serve.anonymous_read);
  EXPECT_FALSE(options->serve.max_size);
}

TEST(ServeOptions, ACertificateHasItsKey) {
  EXPECT_FALSE(read(kServeCommand, {"--tls-cert", "a"}));
  EXPECT_FALSE(read(kServeCommand, {"--tls-key", "a"}));
  EXPECT_TRUE(read(kServeCommand, {"--tls-cert", "a", "--tls-key", "b"}));
  EXPECT_EQ(read(kServeCommand, {"--max-size-per-namespace=1g"})->serve.max_size_per_namespace,
            std::uint64_t{1} << 30);
  EXPECT_EQ(read(kServeCommand, {"--max-size=2g"})->serve.max_size, std::uint64_t{2} << 30);
  EXPECT_FALSE(read(kServeCommand, {"--max-size=0"})) << "no size is no limit, elsewhere";
  EXPECT_FALSE(read(kServeCommand, {"--max-connections", "0"}));
  EXPECT_FALSE(read(kServeCommand, {"word"}));
}

TEST(ServeOptions, ATokenIsForTheMainNamespaceUnlessItSaysMore) {
  const auto plain = read(kTokenCreateCommand, {});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->token.space, "main");
  EXPECT_EQ(plain->token.scopes, 7);
  const auto branch = read(kTokenCreateCommand, {"-n", "team/pr-1", "--parent", "team/main", "-s",
                                                 "read,claim", "--expires", "2d"});
  ASSERT_TRUE(branch);
  EXPECT_EQ(branch->token.scopes, 5);
  EXPECT_EQ(branch->parent, "team/main");
  EXPECT_EQ(branch->life, std::chrono::hours(48));
  EXPECT_FALSE(read(kTokenCreateCommand, {"--scope", "root"}));
  EXPECT_FALSE(read(kTokenCreateCommand, {"--expires", "soon"}));
  EXPECT_FALSE(read(kTokenCreateCommand, {"--expires", "0s"}));
}

TEST(ServeOptions, AListOfTokensSaysWhichStillCount) {
  const Time now(std::chrono::hours(24 * 20'000));
  cache_server::TokenRow token{.id = "1a",
                               .secret = {},
                               .space = "main",
                               .scopes = 7,
                               .note = "laptop\x1b[31m",
                               .created = now - std::chrono::hours(2),
                               .expires = std::nullopt,
                               .revoked = std::nullopt};
  std::vector<cache_server::TokenRow> tokens{token};
  token.id = "2b";
  token.expires = now;
  tokens.push_back(token);
  token.revoked = now;
  tokens.push_back(token);
  EXPECT_EQ(token_list_text(tokens, {}, now),
            "ID        NAMESPACE   SCOPES             CREATED       STATE     NOTE\n"
            "1a        main        read,write,claim   2 hours ago   good      laptop\n"
            "2b        main        read,write,claim   2 hours ago   expired   laptop\n"
            "2b        main        read,write,claim   2 hours ago   revoked   laptop\n");
  EXPECT_EQ(token_list_text(tokens, {.global = {}, .quiet = true}, now), "1a\n2b\n2b\n");
}

}  // namespace
}  // namespace mybuild::cli

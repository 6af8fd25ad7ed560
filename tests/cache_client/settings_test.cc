// SPDX-License-Identifier: Apache-2.0
// Addresses, the user's file, and which server's token and keys it means.
#include "builder/cache_client/settings.h"

#include "builder/cache_client/token.h"
#include "builder/cache_server/protocol/local_token.h"
#include "snapshotter/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>

namespace mybuild::cache_client {
namespace {

const std::string kKey =
    cache_server::to_string(cache_server::SigningKey::generate().value().public_key());

TEST(Address, NetworkAddressesHaveAnOriginAndMaybeANamespace) {
  const auto bare = parse_address("http://127.0.0.1:7000");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->origin, "http://127.0.0.1:7000");
  EXPECT_EQ(bare->space, "-");
  EXPECT_EQ(bare->port, 7000);
  EXPECT_TRUE(bare->is_local());
  const auto team = parse_address("https://Cache.example/team/main/");
  ASSERT_TRUE(team);
  EXPECT_EQ(team->space, "team/main");
  EXPECT_EQ(team->host, "cache.example");
  EXPECT_EQ(team->port, 443);
  EXPECT_FALSE(team->is_local());
}

TEST(Address, SocketsHaveAPathAndMaybeANamespace) {
  const auto socket = parse_address("unix:/run/my build.sock:team/main");
  ASSERT_TRUE(socket);
  EXPECT_EQ(socket->socket, "/run/my build.sock");
  EXPECT_EQ(socket->space, "team/main");
  EXPECT_TRUE(socket->is_local());
  EXPECT_EQ(parse_address("unix:/s")->space, "-");
}

TEST(Address, WhatIsNoneIsRefused) {
  for (const char* text : {"", "cache.example", "ftp://x", "http://user:pw@x", "http://x/Upper",
                           "http://x/../y", "http://x:99999", "unix:relative", "unix:/x:UP"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Flush, IsOneOfThreeWords) {
  EXPECT_EQ(parse_flush("wait:5s")->time, std::chrono::seconds(5));
  EXPECT_EQ(parse_flush("wait")->time, std::chrono::seconds(30));
  EXPECT_EQ(parse_flush("background")->how, Flush::How::Background);
  EXPECT_EQ(parse_flush("off")->how, Flush::How::Off);
  for (const char* text : {"", "wait:", "wait:-1s", "on"}) {
    EXPECT_FALSE(parse_flush(text)) << text;
  }
}

class SettingsTest : public testing::Test {
 protected:
  void write(const std::string& text) {
    ASSERT_TRUE(write_file(join_path(dir.path(), "config.json"), text));
  }
  SettingPlaces places() { return {.url = {}, .token = {}, .directory = dir.path()}; }
  const TempDir dir = TempDir::create().value();
};

TEST_F(SettingsTest, NothingIsWantedUnlessSomebodySaysSo) {
  EXPECT_FALSE(find_settings({}, places())->has_value());
  write(R"({"other": 1})");
  EXPECT_FALSE(find_settings({}, places())->has_value());
}

TEST_F(SettingsTest, TheFileSaysItAll) {
  write(R"({"cacheServer": {"url": "https://c.test/a", "token": "t", "flush": "background",
            "keys": {"a": ")" +
        kKey + R"("}}})");
  const auto found = find_settings({}, places());
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->address.origin, "https://c.test");
  EXPECT_EQ((*found)->token, "t");
  EXPECT_EQ((*found)->flush.how, Flush::How::Background);
  EXPECT_EQ(cache_server::to_string((*found)->keys.at("a")), kKey);
}

TEST_F(SettingsTest, AFieldThatMeansNothingIsToldWithWhatItMayMean) {
  std::vector<std::string> told;
  const auto warn = [&told](const std::string& message) {
    told.push_back(message.substr(message.find(": ") + 2));
  };
  write(R"({"cacheServer": {"url": "https://c.test", "tokens": "t", "x": 1}})");
  ASSERT_TRUE(find_settings({}, places(), warn));
  EXPECT_THAT(told, testing::UnorderedElementsAre(
                        "\"cacheServer.tokens\" means nothing; did you mean token?",
                        "\"cacheServer.x\" means nothing"));
  told.clear();
  write(R"({"cache_server": {"url": "https://c.test"}})");
  EXPECT_FALSE(find_settings({}, places(), warn)->has_value()) << "a wish that nobody heard";
  EXPECT_THAT(told,
              testing::ElementsAre("\"cache_server\" means nothing; did you mean cacheServer?"));
  told.clear();
  write(R"({"cacheServer": {"url": "https://c.test", "token": "", "flush": "off", "keys": {}}})");
  ASSERT_TRUE(find_settings({}, places(), warn));
  EXPECT_THAT(told, testing::IsEmpty());
}

TEST_F(SettingsTest, TokenAndKeysOfTheFileAreForItsServerAlone) {
  write(R"({"cacheServer": {"url": "https://c.test", "token": "t", "keys": {"a": ")" + kKey +
        R"("}}})");
  const auto other = find_settings({.url = "https://d.test", .flush = {}}, places());
  ASSERT_TRUE(other && *other);
  EXPECT_EQ((*other)->token, "");
  EXPECT_TRUE((*other)->keys.empty());
  std::vector<std::string> told;
  const auto warn = [&told](const std::string& message) { told.push_back(message); };
  ASSERT_TRUE(find_settings({.url = "https://d.test", .flush = {}}, places(), warn));
  EXPECT_THAT(told, testing::ElementsAre(testing::HasSubstr(
                        "its keys are for https://c.test and not for https://d.test, which "
                        "--cache-server names: they do not count")));
  const auto same = find_settings({.url = "https://c.test/b", .flush = {}}, places());
  EXPECT_EQ((*same)->token, "t");
}

TEST_F(SettingsTest, KeysWithoutAUrlAreForWhicheverServerIsUsedAndATokenForNone) {
  write(R"({"cacheServer": {"token": "t", "keys": {"a": ")" + kKey + R"("}}})");
  std::vector<std::string> told;
  const auto warn = [&told](const std::string& message) { told.push_back(message); };
  SettingPlaces all = places();
  all.url = "https://environment.test";
  const auto found = find_settings({}, all, warn);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(cache_server::to_string((*found)->keys.at("a")), kKey);
  EXPECT_EQ((*found)->token, "");
  EXPECT_THAT(told, testing::ElementsAre(testing::HasSubstr("no server gets it")));
}

TEST_F(SettingsTest, TheCommandLineWinsThenTheEnvironment) {
  write(R"({"cacheServer": {"url": "https://file.test"}})");
  SettingPlaces all = places();
  all.url = "https://environment.test";
  all.token = "of the environment";
  EXPECT_EQ((*find_settings({}, all))->address.host, "environment.test");
  EXPECT_EQ((*find_settings({.url = "https://flag.test", .flush = {}}, all))->address.host,
            "flag.test");
  EXPECT_FALSE(find_settings({.url = "off", .flush = {}}, all)->has_value());
  EXPECT_EQ((*find_settings({}, all))->token, "of the environment");
}

TEST_F(SettingsTest, AFileThatCannotBeMeantIsAnErrorThatNamesIt) {
  for (const char* text : {"{", R"({"cacheServer": 1})", R"({"cacheServer": {"url": 7}})",
                           R"({"cacheServer": {"url": "ftp://x"}})",
                           R"({"cacheServer": {"url": "http://x", "keys": {"a": "rsa:1"}}})"}) {
    write(text);
    const auto found = find_settings({}, places());
    ASSERT_FALSE(found) << text;
    EXPECT_NE(found.error().message().find("config.json"), std::string::npos) << text;
  }
}

class LocalTokenTest : public testing::Test {
 protected:
  /// A socket that this process listens on.
  void listen_at(const std::string& path) {
    socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  const TempDir dir = TempDir::create().value();
  Fd socket;
  const Cancel cancel;
};

TEST_F(LocalTokenTest, AServerOfOursLeavesATokenBesideItsSocket) {
  const std::string path = join_path(dir.path(), "s");
  const auto address = parse_address("unix:" + path);
  ASSERT_TRUE(cache_server::publish_local_token(path + ".token", "local"));
  EXPECT_EQ(find_token(*address, "", nullptr, cancel), "") << "nobody listens there";
  listen_at(path);
  EXPECT_EQ(find_token(*address, "", nullptr, cancel), "local");
  EXPECT_EQ(find_token(*address, "given", nullptr, cancel), "given");
}

TEST_F(LocalTokenTest, AFileThatOthersMayReadIsNoToken) {
  const std::string path = join_path(dir.path(), "token");
  ASSERT_TRUE(write_file(path, "t", 0644));
  EXPECT_EQ(cache_server::read_local_token(path), "");
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(cache_server::read_local_token(path), "t");
}

TEST_F(LocalTokenTest, ADirectoryThatOthersMayWriteToGetsNoToken) {
  ASSERT_EQ(::chmod(dir.path().c_str(), 0777), 0);
  EXPECT_FALSE(cache_server::publish_local_token(join_path(dir.path(), "token"), "t"));
}

TEST(OurPort, IsOneThatNobodyElseListensOn) {
  const std::string head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n";
  const std::string ours =
      "   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 1\n";
  const std::string theirs =
      "   1: 00000000:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001  0 2\n";
  const std::string connected =
      "   2: 0100007F:1388 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1001  0 3\n";
  EXPECT_TRUE(cache_server::is_our_port(5000, head + ours + connected, head, 1000));
  EXPECT_FALSE(cache_server::is_our_port(5000, head + ours, head + theirs, 1000));
  EXPECT_FALSE(cache_server::is_our_port(5001, head + ours, head, 1000));
  EXPECT_FALSE(cache_server::is_our_port(5000, "", "garbage\n\n", 1000));
}

TEST(Token, WhatCannotStandInAHeaderIsNone) {
  const Cancel cancel;
  const auto address = parse_address("https://c.test");
  EXPECT_EQ(find_token(*address, "a\r\nX: y", nullptr, cancel), "");
}

}  // namespace
}  // namespace mybuild::cache_client

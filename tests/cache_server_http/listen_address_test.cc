// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/listen_address.h"

#include "snapshotter/base/file.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace mybuild::cache_server {
namespace {

TEST(ListenAddress, IsReadAsPeopleWriteIt) {
  const struct {
    const char* text;
    const char* host;
    int port;
    const char* path;
  } cases[] = {{"127.0.0.1:5050", "127.0.0.1", 5050, ""},
               {":80", "", 80, ""},
               {"[::1]:0", "::1", 0, ""},
               {"http://localhost:1", "localhost", 1, ""},
               {"unix:/run/x.sock", "", 0, "/run/x.sock"},
               {"unix:///run/x.sock", "", 0, "/run/x.sock"}};
  for (const auto& each : cases) {
    const auto address = parse_listen_address(each.text);
    ASSERT_TRUE(address) << each.text;
    EXPECT_EQ(address->host, each.host);
    EXPECT_EQ(address->port, each.port);
    EXPECT_EQ(address->socket_path, each.path);
  }
}

TEST(ListenAddress, RefusesWhatIsNone) {
  for (const char* text : {"", "localhost", "x:y", "x:70000", "x:-1", "1:2:3", "unix:relative"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(ListenAddress, KnowsWhatOthersCanReach) {
  EXPECT_TRUE(listen_on({.host = "127.0.0.1", .port = 0, .socket_path = {}})->is_local);
  EXPECT_FALSE(listen_on({.host = "0.0.0.0", .port = 0, .socket_path = {}})->is_local);
}

TEST(ListenAddress, ASocketOfTheFileSystemIsItsOwnersAndReplacesADeadOne) {
  const TempDir dir = TempDir::create().value();
  const ListenAddress address{.host = {}, .port = 0, .socket_path = dir.path() + "/sock"};
  {
    const auto first = listen_on(address);
    ASSERT_TRUE(first);
    struct stat info {};
    ASSERT_EQ(::stat(address.socket_path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(listen_on(address).error().kind(), ErrorKind::AlreadyExists) << "somebody is there";
  }
  EXPECT_TRUE(listen_on(address)) << "nobody is there any more";
  ASSERT_TRUE(write_file(dir.path() + "/file", "mine"));
  EXPECT_FALSE(listen_on({.host = {}, .port = 0, .socket_path = dir.path() + "/file"}));
  EXPECT_EQ(read_file(dir.path() + "/file").value(), "mine");
}

}  // namespace
}  // namespace mybuild::cache_server

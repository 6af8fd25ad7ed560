// SPDX-License-Identifier: Apache-2.0
// Which remotes there are, and where submodules may lie.
#include "builder/git/remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mybuild::git {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Remote, what_is_shown_has_no_password) {
  const struct {
    const char* text;
    const char* shown;
    const char* origin;
  } cases[] = {
      {"https://Host.example/a/b.git", "https://host.example/a/b.git", "https://host.example"},
      {"https://me:secret@host/a", "https://host/a", "https://host"},
      {"https://me:p@ss@host:8443/a", "https://host:8443/a", "https://host:8443"},
      {"http://[::1]:80/a", "http://[::1]:80/a", "http://[::1]:80"},
      {"ssh://git@host/~u/a", "ssh://git@host/~u/a", "ssh://host"},
      {"ssh://git:pw@host:22/a", "ssh://git@host:22/a", "ssh://host:22"},
      {"git@host:a/b.git", "git@host:a/b.git", "ssh://host"},
      {"host:a", "host:a", "ssh://host"},
      {"git://host/a", "git://host/a", "git://host"},
      {"file:///srv/a", "file:///srv/a", "file://"},
  };
  for (const auto& c : cases) {
    const Result<Remote> remote = parse_remote(c.text);
    ASSERT_TRUE(remote) << c.text << ": " << remote.error().message();
    EXPECT_EQ(shown(*remote), c.shown);
    EXPECT_EQ(origin(*remote), c.origin);
    const Result<Remote> again = parse_remote(shown(*remote));
    ASSERT_TRUE(again) << c.text;
    EXPECT_EQ(shown(*again), c.shown);
  }
}

TEST(Remote, what_could_be_an_option_or_a_program_is_refused) {
  for (const char* text : {"",
                           "-",
                           "--upload-pack=x",
                           "ext::sh -c x",
                           "ext::ssh://host/a",
                           "fd::3",
                           "/srv/a",
                           "./a",
                           "a",
                           "ftp://host/a",
                           "https://",
                           "https:///a",
                           "https://-oProxyCommand=x/a",
                           "ssh://-x@host/a",
                           "ssh://-host/a",
                           "git@-host:a",
                           "-a@host:b",
                           "git@host:-a",
                           "git@host:",
                           "https://host",
                           "https://host/",
                           "https://ho st/a",
                           "https://host:x/a",
                           "https://host/a\nb",
                           "https://host/a\x1b[m",
                           "file://other/a",
                           "file:///",
                           "ssh://a%0ab@host/x"}) {
    EXPECT_FALSE(parse_remote(text)) << text;
  }
  const Result<Remote> bad = parse_remote("https://me:secret@ho st/a");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message(), Not(HasSubstr("secret")));
}

TEST(Remote, a_file_url_is_decoded_as_git_does) {
  EXPECT_EQ(file_path(parse_remote("file:///a%20b/%zz%4").value()), "/a b/%zz%4");
}

TEST(Remote, user_and_password_become_a_header) {
  EXPECT_EQ(basic_authorization("x-access-token", "sesame"), "basic eC1hY2Nlc3MtdG9rZW46c2VzYW1l");
  EXPECT_EQ(url_authorization(parse_remote("https://me:p%40ss@h/a").value()),
            basic_authorization("me", "p@ss"));
  EXPECT_EQ(url_authorization(parse_remote("https://h/a").value()), "");
  EXPECT_EQ(url_authorization(parse_remote("ssh://git:x@h/a").value()), "");
}

TEST(Remote, submodules_are_relative_to_the_repository_that_names_them) {
  const struct {
    const char* parent;
    const char* url;
    const char* remote;
  } cases[] = {
      {"https://h/a/b.git", "../c.git", "https://h/a/c.git"},
      {"https://h/a/b.git/", "./c", "https://h/a/b.git/c"},
      {"https://h:8/a/b", "../../c/", "https://h:8/c"},
      {"git@h:a/b", "../c", "git@h:a/c"},
      {"git@h:a", "../c", "git@h:c"},
      {"ssh://u@h:22/a/b", "../c", "ssh://u@h:22/a/c"},
      {"https://h/a", "https://other/x", "https://other/x"},
      {"file:///srv/a", "https://other/x", "https://other/x"},
      {"https://h/a", "git@other:x", "git@other:x"},
  };
  for (const auto& c : cases) {
    const Result<Remote> remote = submodule_remote(parse_remote(c.parent).value(), c.url);
    ASSERT_TRUE(remote) << c.url << ": " << remote.error().message();
    EXPECT_EQ(shown(*remote), c.remote);
  }
}

TEST(Remote, submodules_stay_away_from_this_machine) {
  const Remote https = parse_remote("https://h:8080/a/b").value();
  for (const char* url : {"/etc", "file:///etc", "FILE:///etc", "ext::sh -c x", "-x",
                          "--upload-pack=x", "~/x", "../../..", "../../../x", "../../../../x", ".",
                          "..", "https://-x/a", "git@h:-x", "../a\nb", "c:/x\n"}) {
    EXPECT_FALSE(submodule_remote(https, url)) << url;
  }
  const Remote file = parse_remote("file:///srv/a").value();
  EXPECT_FALSE(submodule_remote(file, "../b"));
  EXPECT_FALSE(submodule_remote(file, "file:///srv/b"));
  EXPECT_FALSE(submodule_remote(parse_remote("git@h:a").value(), "../../b"));
}

}  // namespace
}  // namespace mybuild::git

// SPDX-License-Identifier: Apache-2.0
#include "frontend/remote/git_url.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mybuild::frontend {
namespace {

using testing::HasSubstr;

constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

std::optional<GitUrl> parse(std::string_view text, UrlOrigin origin = UrlOrigin::Dockerfile,
                            bool known_git = false) {
  auto url = parse_git_url(text, origin, known_git);
  EXPECT_TRUE(url) << text << ": " << url.error().message();
  return url ? std::move(*url) : std::nullopt;
}

std::string error_of(std::string_view text, UrlOrigin origin = UrlOrigin::Dockerfile) {
  const auto url = parse_git_url(text, origin);
  return url ? "" : url.error().message();
}

struct Row {
  std::string text;
  std::string remote;
  std::string ref;
  std::string subdir;
};
class Accepted : public testing::TestWithParam<Row> {};

TEST_P(Accepted, IsARepositoryWithRefAndDirectory) {
  const Row& row = GetParam();
  const auto url = parse(row.text);
  ASSERT_TRUE(url) << row.text;
  EXPECT_EQ(url->source.remote, row.remote) << row.text;
  EXPECT_EQ(url->source.ref, row.ref) << row.text;
  EXPECT_EQ(url->source.subdir, row.subdir) << row.text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, Accepted,
    testing::Values(
        Row{"https://h.org/a.git", "https://h.org/a.git", "", ""},
        Row{"HTTPS://h.org/a.git", "https://h.org/a.git", "", ""},
        Row{"https://h.org/a.git#", "https://h.org/a.git", "", ""},
        Row{"https://h.org/a.git#v1", "https://h.org/a.git", "v1", ""},
        Row{"https://h.org/a.git#rel/1.2", "https://h.org/a.git", "rel/1.2", ""},
        Row{"https://h.org/a.git#x/y:d/e", "https://h.org/a.git", "x/y", "d/e"},
        Row{"https://h.org/a.git#:d", "https://h.org/a.git", "", "d"},
        Row{"https://h.org/a.git#v1:/d//./e/", "https://h.org/a.git", "v1", "d/e"},
        Row{"https://h.org/a.git#v1:d%20e", "https://h.org/a.git", "v1", "d e"},
        Row{"https://h.org/a.git#v1:a:b", "https://h.org/a.git", "v1", "a:b"},
        Row{"https://u:p@h.org:8443/a.git", "https://u:p@h.org:8443/a.git", "", ""},
        Row{"http://[::1]:80/a b.git", "http://[::1]:80/a%20b.git", "", ""},
        Row{"https://h.org/a%2egit", "https://h.org/a%2egit", "", ""},
        Row{"git://h.org/a", "git://h.org/a", "", ""},
        Row{"ssh://git@h.org:22/a/b#v1", "ssh://git@h.org:22/a/b", "v1", ""},
        Row{"ssh://h.org/~me/a.git", "ssh://h.org/~me/a.git", "", ""},
        Row{"git@h.org:a/b", "git@h.org:a/b", "", ""},
        Row{"git@h.org:/a/b.git#v1:d", "git@h.org:/a/b.git", "v1", "d"},
        Row{"me_2@h.org:a?subdir=/d#v1", "me_2@h.org:a", "v1", "d"},
        Row{"https://h.org/a.git?ref=v1&subdir=/d", "https://h.org/a.git", "v1", "d"},
        Row{"https://h.org/a.git?subdir=d#v1", "https://h.org/a.git", "v1", "d"},
        Row{"https://h.org/a.git?ref=v1#v1", "https://h.org/a.git", "v1", ""},
        Row{"https://h.org/a.git?tag=v1", "https://h.org/a.git", "refs/tags/v1", ""},
        Row{"https://h.org/a.git?tag=refs/tags/v1", "https://h.org/a.git", "refs/tags/v1", ""},
        Row{"https://h.org/a.git?branch=v1", "https://h.org/a.git", "refs/heads/v1", ""},
        Row{"https://h.org/a.git?branch=a%2Fb%2b", "https://h.org/a.git", "refs/heads/a/b+", ""},
        Row{"https://h.org/a.git?&mtime=commit&", "https://h.org/a.git", "", ""},
        Row{"https://h.org/a.git?mtime=checkout", "https://h.org/a.git", "", ""},
        Row{"https://h.org/a.git?commit=0abc", "https://h.org/a.git", "", ""},
        Row{"https://h.org/a.git?checksum=0ABC#v1", "https://h.org/a.git", "v1", ""}));

TEST(GitUrl, IsNoneWhereAPathOrAFileIsMeant) {
  for (const char* text : {"",
                           "a",
                           ".",
                           ".git",
                           "./a.git",
                           "../a.git",
                           "/a.git",
                           "https://h.org/",
                           "https://h.org/a",
                           "https://h.org/a.git/",
                           "https://h.org/a.git.b",
                           "http://h.org/a.git:#b",
                           "h.org/a.git",
                           "https://h.org/a?b.git",
                           "https://h.org/a#b.git",
                           "file:///a.git",
                           "FILE:///a.git",
                           "ext::sh -c x",
                           "ext::ssh://h.org/a",
                           "ftp://h.org/a.git",
                           "git+ssh://h.org/a",
                           "a:b",
                           "h.org:a/b",
                           "C:\\a",
                           "@h.org:a",
                           "git@h.org",
                           "git@:a",
                           "a b@h.org:c",
                           "dir/x@h.org:c",
                           "-oProxyCommand=x@h.org:c",
                           "github.com/a/b",
                           "https://h.org/%zz.git",
                           "://",
                           "a.b://c"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
}

TEST(GitUrl, MayBeOnThisMachineForWhoBuilds) {
  const auto url = parse("file:///srv/a#v1:d", UrlOrigin::CommandLine);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->source.remote, "file:///srv/a");
  EXPECT_EQ(url->source.ref, "v1");
  EXPECT_TRUE(parse("file://localhost/srv/a", UrlOrigin::CommandLine));
  EXPECT_THAT(error_of("file://other/srv/a", UrlOrigin::CommandLine), HasSubstr("this machine"));
  EXPECT_THAT(error_of("file:///", UrlOrigin::CommandLine), HasSubstr("no repository"));
}

TEST(GitUrl, KnowsTheShortFormForContexts) {
  const auto url = parse("github.com/a/b?tag=v1#:d", UrlOrigin::CommandLine);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->source.remote, "https://github.com/a/b");
  EXPECT_EQ(url->source.ref, "refs/tags/v1");
  EXPECT_EQ(url->source.subdir, "d");
}

TEST(GitUrl, NeedsNoSuffixWhereAFlagSaysWhatItIs) {
  const auto url = parse("https://h.org/~a/b#main", UrlOrigin::Dockerfile, true);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->source.remote, "https://h.org/~a/b");
  EXPECT_EQ(url->source.ref, "main");
  EXPECT_FALSE(parse("a/b", UrlOrigin::Dockerfile, true));
}

TEST(GitUrl, TakesOptionsFromItsQuery) {
  const auto query = [](const std::string& text) { return *parse("https://h.org/a.git?" + text); };
  EXPECT_EQ(query("").keep_git_dir, std::nullopt);
  EXPECT_TRUE(query("").source.submodules);
  for (const char* on : {"", "=", "=true", "=1", "=T"}) {
    const GitUrl url = query(fmt::format("keep-git-dir{}", on));
    EXPECT_EQ(url.keep_git_dir, true) << on;
    EXPECT_TRUE(url.source.keep_git_dir) << on;
  }
  EXPECT_EQ(query("keep-git-dir=false").keep_git_dir, false);
  EXPECT_FALSE(query("submodules=0").source.submodules);
  EXPECT_EQ(query("checksum=0ABC").source.checksum, "0abc");
  EXPECT_EQ(query("checksum=0abc&commit=0abc").source.checksum, "0abc");
  EXPECT_EQ(query(fmt::format("fetch-by-commit=true&ref={}", kCommit)).source.ref, kCommit);
  EXPECT_EQ(query(fmt::format("fetch-by-commit&ref=v1&commit={}", kCommit)).source.ref, "v1");
  EXPECT_EQ(query("fetch-by-commit=false&ref=v1").source.ref, "v1");
  EXPECT_EQ(query("subdir=a%20b+c%2Bd").source.subdir, "a b c+d");
}

TEST(GitUrl, RefusesOptionsThatDisagree) {
  const std::pair<const char*, const char*> table[] = {
      {"?ref=v1#v2", "ref conflicts: \"v2\" vs \"v1\""},
      {"?ref=v1&tag=v1", "ref conflicts: \"v1\" vs \"refs/tags/v1\""},
      {"?branch=v1#v1", "ref conflicts: \"v1\" vs \"refs/heads/v1\""},
      {"?tag=v1&branch=v1", "branch conflicts with tag"},
      {"?subdir=a#v1:b", "subdir conflicts: \"b\" vs \"a\""},
      {"?checksum=01&commit=02", "checksum conflicts"},
      {"?ref=", "query \"ref\" has no value"},
      {"?tag", "query \"tag\" has no value"},
      {"?mtime=", "query \"mtime\" has no value"},
      {"?ref=a&ref=a", "query \"ref\" has multiple values"},
      {"?x=1", "unexpected query \"x\""},
      {"?keep-git-dir=x", "invalid keep-git-dir value: \"x\""},
      {"?submodules=x", "invalid submodules value: \"x\""},
      {"?fetch-by-commit=x", "invalid fetch-by-commit value: \"x\""},
      {"?mtime=now", "invalid mtime value: \"now\""},
      {"?fetch-by-commit=1", "full commit id"},
      {"?fetch-by-commit=1&ref=v1&commit=0abc", "full commit id"},
      {"?checksum=xyz", "invalid checksum"},
      {"?ref=%zz", "malformed query field"},
      {"?ref=a;b", "malformed query field"},
      {"#%zz", "two hex digits"},
  };
  for (const auto& [options, message] : table) {
    EXPECT_THAT(error_of(std::string("https://h.org/a.git") + options), HasSubstr(message));
  }
  EXPECT_THAT(error_of("https://me:secret@h.org/a.git?x=1"),
              testing::StartsWith("git URL https://h.org/a.git: unexpected"));
}

TEST(GitUrl, LetsNothingThroughThatAProgramCouldTakeForSomethingElse) {
  for (const char* text : {"https:///a.git",
                           "https://-host/a.git",
                           "https://h.org/a\nb.git",
                           "https://h.org/a%0a.git",
                           "https://h.org/a%00.git",
                           "https://ho st/a.git",
                           "git://h.org",
                           "git://h.org/",
                           "git:///a",
                           "ssh://-oProxyCommand=x/a",
                           "ssh://-l@h.org/a",
                           "ssh://%2dl@h.org/a",
                           "ssh://h.org/a'b",
                           "ssh://h.org/a%27;x",
                           "ssh://h.org/$(x)",
                           "ssh://h.org/`x`",
                           "git@h.org:",
                           "git@h.org:-x",
                           "git@h.org::x",
                           "git@h.org:a'b",
                           "git@-h:a",
                           "-x@h.org:a",
                           "git@h.org:a\tb",
                           "https://h.org:x/a.git",
                           "https://h.org/a.git#--upload-pack=x",
                           "https://h.org/a.git#-x",
                           "https://h.org/a.git#+x",
                           "https://h.org/a.git#a..b",
                           "https://h.org/a.git?ref=a:b",
                           "https://h.org/a.git#^a",
                           "https://h.org/a.git#a%20b",
                           "https://h.org/a.git#a%00",
                           "https://h.org/a.git#refs/heads/*",
                           "https://h.org/a.git#/a",
                           "https://h.org/a.git#a/",
                           "https://h.org/a.git#a//b",
                           "https://h.org/a.git#HEAD~1",
                           "https://h.org/a.git#a@{1}",
                           "https://h.org/a.git#:a%0ab"}) {
    EXPECT_NE(error_of(text), "") << text;
    EXPECT_EQ(error_of(text).find_first_of("\n\r\t"), std::string::npos) << text;
  }
  const std::string_view nul("git@h.org:a\0b", 13);
  EXPECT_NE(error_of(nul), "");
}

TEST(GitUrl, ASubdirNeverLeavesTheRepository) {
  EXPECT_EQ(parse("https://h.org/a.git#:..")->source.subdir, "");
  EXPECT_EQ(parse("https://h.org/a.git#:%2e%2e/")->source.subdir, "");
  EXPECT_EQ(parse("https://h.org/a.git#:a/../../b")->source.subdir, "b");
  EXPECT_EQ(parse("https://h.org/a.git?subdir=..%2fb")->source.subdir, "b");
}

TEST(GitUrl, IsShownWithItsRefButWithoutItsPassword) {
  EXPECT_EQ(shown_git(parse("https://me:secret@h.org/a.git#v1:d")->source),
            "https://h.org/a.git#v1:d");
  EXPECT_EQ(shown_git(parse("git@h.org:a#:d")->source), "git@h.org:a#:d");
  EXPECT_EQ(shown_git(parse("git@h.org:a")->source), "git@h.org:a");
}

TEST(GitChecksum, IsHex) {
  EXPECT_EQ(parse_git_checksum("0AbC").value_or(""), "0abc");
  EXPECT_FALSE(parse_git_checksum(""));
  EXPECT_FALSE(parse_git_checksum("sha256:00"));
  EXPECT_FALSE(parse_git_checksum(std::string(65, '0')));
}

}  // namespace
}  // namespace mybuild::frontend

// SPDX-License-Identifier: Apache-2.0
#include "builder/source/http_source.h"

#include "snapshotter/archive/codec.h"
#include "snapshotter/base/file.h"
#include "tests/source/fake_site.h"
#include "tests/source/fakes.h"
#include "tests/support/memory_content_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace mybuild::source {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kUrl[] = "http://example.org/dir/file.txt";
constexpr char kOldDate[] = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::int64_t kOldTime = 784111777;
constexpr std::int64_t kNow = 1'800'000'000;
const solver::VertexId kVertex{Digest::of("vertex")};

class HttpSource : public testing::Test {
 protected:
  /// One per build, as the engine does.
  std::unique_ptr<HttpSources> build() {
    return make_http_sources({site_, *content_, *metadata_, events_, clock_, &secrets_,
                              HttpLimits{.max_size = 4 << 20}});
  }
  Result<SourceTree> open(HttpSources& sources, const std::string& url = kUrl,
                          std::optional<Digest> checksum = {}) {
    return sources.open({url, "file.txt", checksum}, kVertex, cancel_);
  }
  /// The file's bytes, in a build of its own.
  std::string fetch(const std::string& url = kUrl, std::optional<Digest> checksum = {}) {
    const auto tree = open(*build(), url, checksum);
    EXPECT_TRUE(tree) << tree.error().message();
    return tree ? text_of(*tree) : std::string();
  }
  static std::string text_of(const SourceTree& tree) {
    const std::string name = tree.view->list("").value().at(0);
    return tree.view->read_small(name, 16 << 20).value().value_or("");
  }
  Error failure(const std::string& url = kUrl, std::optional<Digest> checksum = {}) {
    const auto tree = open(*build(), url, checksum);
    EXPECT_FALSE(tree);
    return tree ? internal_error("no error") : tree.error();
  }
  std::string asked(std::size_t request, const std::string& header) {
    return header_of(site_.asked.at(request), header);
  }
  static Error broken() { return make_error(ErrorKind::Unavailable, "GET x: reset by peer"); }

  TempDir dir_ = TempDir::create().value();
  FakeSite site_;
  FakeSecrets secrets_;
  std::unique_ptr<snapshotter::ContentStore> content_ = snapshotter::make_memory_content_store();
  std::unique_ptr<snapshotter::Metadata> metadata_ =
      snapshotter::Metadata::open(dir_.path() + "/state.db").value();
  RecordedEvents events_;
  Cancel cancel_;
  FixedClock clock_{Time(std::chrono::seconds(kNow))};
};

TEST_F(HttpSource, is_a_directory_with_the_file) {
  site_.files[kUrl] = {"hello", {{"last-modified", kOldDate}, {"content-length", "5"}}};
  const auto tree = open(*build());
  ASSERT_TRUE(tree) << tree.error().message();
  EXPECT_EQ(tree->time, kOldTime);
  EXPECT_FALSE(tree->id.is_zero());
  EXPECT_THAT(*tree->view->list(""), testing::ElementsAre("file.txt"));
  const auto file = tree->view->lookup("file.txt").value();
  ASSERT_TRUE(file);
  EXPECT_EQ(file->type, snapshotter::EntryType::File);
  EXPECT_EQ(file->mode, 0600u);
  EXPECT_EQ(file->uid, 0u);
  EXPECT_EQ(file->size, 5u);
  EXPECT_EQ(file->mtime.tv_sec, kOldTime);
  EXPECT_EQ(file->content, Digest::of("hello"));
  EXPECT_EQ(tree->view->lookup("").value()->type, snapshotter::EntryType::Directory);
  EXPECT_FALSE(tree->view->lookup("other").value());
  EXPECT_FALSE(tree->view->list("file.txt"));
  EXPECT_EQ(text_of(*tree), "hello");
  EXPECT_EQ(content_->read(Digest::of("hello")).value(), "hello");
}

TEST_F(HttpSource, without_a_time_the_file_is_of_1970) {
  site_.files[kUrl] = {"hello", {{"last-modified", "yesterday"}}};
  const auto tree = open(*build());
  ASSERT_TRUE(tree);
  EXPECT_FALSE(tree->time);
  EXPECT_EQ(tree->view->lookup("file.txt").value()->mtime.tv_sec, 0);
}

TEST_F(HttpSource, its_id_is_that_of_bytes_and_name) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  site_.files["http://other/x"] = {"hello", {{"last-modified", kOldDate}}};
  const auto sources = build();
  const Digest id = open(*sources)->id;
  EXPECT_EQ(open(*sources, "http://other/x")->id, id);
  EXPECT_NE(sources->open({kUrl, "other.txt", {}}, kVertex, cancel_)->id, id);
  site_.files[kUrl].body = "bye";
  site_.files[kUrl].headers["etag"] = "\"2\"";
  EXPECT_NE(open(*build())->id, id);
}

TEST_F(HttpSource, a_known_file_is_asked_for_with_its_tag_and_comes_from_the_store) {
  site_.files[kUrl] = {"hello", {{"etag", "W/\"1\""}, {"last-modified", kOldDate}}};
  EXPECT_EQ(fetch(), "hello");
  EXPECT_EQ(asked(0, "If-None-Match"), "");
  const auto again = open(*build());
  EXPECT_EQ(text_of(*again), "hello");
  EXPECT_EQ(again->time, kOldTime);
  ASSERT_THAT(site_.asked, SizeIs(2));
  EXPECT_EQ(asked(1, "If-None-Match"), "W/\"1\"");
  EXPECT_EQ(asked(1, "If-Modified-Since"), kOldDate);
}

TEST_F(HttpSource, a_server_that_sends_the_known_tag_need_not_send_the_bytes) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  EXPECT_EQ(fetch(), "hello");
  site_.ignores_conditions = true;
  site_.files[kUrl].headers["etag"] = "W/\"1\"";
  EXPECT_EQ(fetch(), "hello");
  EXPECT_THAT(site_.asked, SizeIs(2));
}

TEST_F(HttpSource, not_modified_with_another_tag_is_not_believed) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  EXPECT_EQ(fetch(), "hello");
  site_.files[kUrl] = {"bye", {{"etag", "\"2\""}}};
  site_.script = {{.status = 304, .headers = {{"etag", "\"2\""}}}};
  EXPECT_EQ(fetch(), "bye");
  EXPECT_EQ(asked(2, "If-None-Match"), "");
}

TEST_F(HttpSource, a_changed_file_is_fetched) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  EXPECT_EQ(fetch(), "hello");
  site_.files[kUrl] = {"bye", {{"etag", "\"2\""}}};
  EXPECT_EQ(fetch(), "bye");
  EXPECT_EQ(fetch(), "bye");
  EXPECT_EQ(asked(2, "If-None-Match"), "\"2\"");
}

TEST_F(HttpSource, without_a_tag_an_old_date_is_enough_and_a_fresh_one_is_not) {
  site_.files[kUrl] = {"hello", {{"last-modified", kOldDate}}};
  EXPECT_EQ(fetch(), "hello");
  EXPECT_EQ(fetch(), "hello");
  EXPECT_EQ(asked(1, "If-Modified-Since"), kOldDate);
  site_.files["http://h/x"] = {"new", {{"last-modified", "Fri, 15 Jan 2027 07:59:50 GMT"}}};
  EXPECT_EQ(fetch("http://h/x"), "new");
  site_.files["http://h/x"].body = "newer";  // within the same second
  EXPECT_EQ(fetch("http://h/x"), "newer");
}

TEST_F(HttpSource, without_validators_it_is_fetched_again) {
  site_.files[kUrl] = {"hello", {}};
  const Digest id = open(*build())->id;
  EXPECT_EQ(open(*build())->id, id);
  site_.files[kUrl].body = "bye";
  EXPECT_EQ(fetch(), "bye");
  EXPECT_THAT(site_.asked, SizeIs(3));
}

TEST_F(HttpSource, a_blob_that_went_is_fetched_without_conditions) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  EXPECT_EQ(fetch(), "hello");
  ASSERT_TRUE(content_->remove(Digest::of("hello")));
  EXPECT_EQ(fetch(), "hello");
  EXPECT_EQ(asked(1, "If-None-Match"), "");
}

TEST_F(HttpSource, a_known_checksum_needs_no_request) {
  site_.files[kUrl] = {"hello", {{"last-modified", kOldDate}}};
  EXPECT_EQ(fetch(kUrl, Digest::of("hello")), "hello");
  EXPECT_THAT(site_.asked, SizeIs(1));
  EXPECT_EQ(fetch(kUrl, Digest::of("hello")), "hello");
  EXPECT_THAT(site_.asked, SizeIs(1));
  EXPECT_EQ(fetch(), "hello");  // without it the server is asked
  EXPECT_THAT(site_.asked, SizeIs(2));
}

TEST_F(HttpSource, a_blob_of_another_origin_does_not_stand_in_for_a_checksum) {
  ASSERT_TRUE(content_->put("hello"));
  EXPECT_EQ(failure(kUrl, Digest::of("hello")).kind(), ErrorKind::NotFound);
}

TEST_F(HttpSource, a_wrong_checksum_names_url_and_digests) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  const Error error = failure(kUrl, Digest::of("bye"));
  EXPECT_THAT(error.message(), AllOf(HasSubstr(kUrl), HasSubstr(Digest::of("hello").str()),
                                     HasSubstr(Digest::of("bye").str())));
  EXPECT_THAT(error.hint(), Not(IsEmpty()));
}

TEST_F(HttpSource, within_a_build_each_url_is_asked_once) {
  site_.files[kUrl] = {"hello", {}};
  std::atomic<int> right{0};
  site_.on_request = [] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); };
  const auto sources = build();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto tree = open(*sources);
      right += tree && text_of(*tree) == "hello" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(right, 4);
  EXPECT_THAT(site_.asked, SizeIs(1));
}

TEST_F(HttpSource, a_cancelled_fetch_says_nothing_to_others) {
  site_.files[kUrl] = {"hello", {}};
  const auto sources = build();
  Cancel other;
  other.request(make_error(ErrorKind::Cancelled, "interrupted"));
  const auto tree = sources->open({kUrl, "x", {}}, kVertex, other);
  EXPECT_EQ(tree.error().kind(), ErrorKind::Cancelled);
  EXPECT_TRUE(open(*sources));
}

TEST_F(HttpSource, a_login_in_the_url_is_sent_and_never_shown) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  EXPECT_EQ(fetch("http://user:p%40ss@example.org/dir/file.txt"), "hello");
  EXPECT_EQ(site_.asked[0].url, kUrl);
  EXPECT_EQ(asked(0, "Authorization"), "Basic dXNlcjpwQHNz");
  site_.files.clear();
  const Error error = failure("http://user:p%40ss@example.org/dir/file.txt?signature=abc");
  EXPECT_THAT(error.message(), AllOf(Not(HasSubstr("user")), Not(HasSubstr("abc"))));
  for (const auto& progress : events_.all<solver::Progress>()) {
    EXPECT_EQ(progress.item, kUrl);
  }
}

TEST_F(HttpSource, a_private_answer_is_not_given_to_others) {
  site_.files[kUrl] = {"hello", {{"etag", "\"1\""}}};
  secrets_.values["HTTP_AUTH_TOKEN_example.org"] = "t0ken\n";
  EXPECT_EQ(fetch(kUrl, Digest::of("hello")), "hello");
  EXPECT_EQ(asked(0, "Authorization"), "Bearer t0ken");
  secrets_.values.clear();
  site_.script = {{.status = 401}};
  const Error error = failure(kUrl, Digest::of("hello"));
  EXPECT_EQ(error.kind(), ErrorKind::Denied);
  EXPECT_THAT(error.hint(), HasSubstr("HTTP_AUTH_TOKEN_example.org"));
  EXPECT_EQ(asked(1, "If-None-Match"), "");
}

TEST_F(HttpSource, a_token_goes_before_a_header_before_the_url) {
  site_.files["http://h:81/x"] = {"hello", {}};
  const std::string url = "http://u:p@h:81/x";
  secrets_.values = {{"HTTP_AUTH_TOKEN_h", "t"}, {"HTTP_AUTH_HEADER_h", "Basic abc"}};
  fetch(url);
  secrets_.values.erase("HTTP_AUTH_TOKEN_h");
  fetch(url);
  secrets_.values = {{"HTTP_AUTH_HEADER_other", "Basic abc"}};
  fetch(url);
  EXPECT_EQ(asked(0, "Authorization"), "Bearer t");
  EXPECT_EQ(asked(1, "Authorization"), "Basic abc");
  EXPECT_EQ(asked(2, "Authorization"), "Basic dTpw");
  secrets_.values = {{"HTTP_AUTH_HEADER_h", "Basic abc\r\nX-Evil: 1"}};
  EXPECT_THAT(failure(url).message(),
              AllOf(HasSubstr("HTTP_AUTH_HEADER_h"), Not(HasSubstr("abc"))));
}

TEST_F(HttpSource, an_encoded_answer_is_decoded_and_an_archive_is_not) {
  StringSink packed;
  const auto gzip = snapshotter::make_compressor({}, packed);
  ASSERT_TRUE(gzip->write(as_bytes("hello")));
  ASSERT_TRUE(gzip->finish());
  site_.files[kUrl] = {packed.text, {{"content-encoding", "gzip"}}};
  site_.files["http://h/x.gz"] = {packed.text, {{"content-type", "application/gzip"}}};
  EXPECT_EQ(fetch(), "hello");
  EXPECT_EQ(asked(0, "Accept-Encoding"), "gzip");
  EXPECT_EQ(fetch("http://h/x.gz"), packed.text);
  site_.files[kUrl].body = packed.text.substr(0, packed.text.size() - 4);
  EXPECT_THAT(failure().message(), AllOf(HasSubstr(kUrl), HasSubstr("ends early")));
  site_.files[kUrl].body = "";
  EXPECT_EQ(fetch(), "");
}

TEST_F(HttpSource, what_may_pass_is_tried_again) {
  site_.script = {{.status = 503, .headers = {{"retry-after", "0"}}}, {.error = broken()}};
  site_.files[kUrl] = {"hello", {}};
  EXPECT_EQ(fetch(), "hello");
  site_.script = {{.status = 500}, {.status = 500}, {.status = 500}};
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::Unavailable);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(kUrl), HasSubstr("500 internal server error")));
  EXPECT_THAT(site_.asked, SizeIs(6));
}

TEST_F(HttpSource, a_missing_file_fails_at_once_in_the_servers_words) {
  const Error error = failure();
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_THAT(error.message(), HasSubstr("404 not found: no such page"));
  EXPECT_THAT(site_.asked, SizeIs(1));
}

TEST_F(HttpSource, a_broken_download_goes_on_where_it_broke) {
  site_.script = {
      {.body = "hel", .headers = {{"etag", "\"1\""}, {"content-length", "5"}}, .error = broken()},
      {.status = 206,
       .body = "lo",
       .headers = {{"etag", "\"1\""}, {"content-range", "bytes 3-4/5"}}}};
  EXPECT_EQ(fetch(), "hello");
  EXPECT_EQ(asked(1, "Range"), "bytes=3-");
  EXPECT_EQ(asked(1, "If-Range"), "\"1\"");
}

TEST_F(HttpSource, a_broken_download_starts_over_without_a_strong_tag_or_when_the_file_changed) {
  site_.script = {{.body = "hel", .headers = {{"etag", "W/\"1\""}}, .error = broken()},
                  {.body = "bye", .headers = {{"etag", "\"2\""}}, .error = broken()},
                  {.body = "other", .headers = {{"etag", "\"3\""}}}};
  EXPECT_EQ(fetch(), "other");
  EXPECT_EQ(asked(1, "Range"), "");
  EXPECT_EQ(asked(2, "Range"), "bytes=3-");
  site_.script = {{.body = "hel", .headers = {{"etag", "\"4\""}}, .error = broken()},
                  {.status = 206,
                   .body = "xx",
                   .headers = {{"etag", "\"4\""}, {"content-range", "bytes 1-2/5"}}}};
  EXPECT_EQ(failure().kind(), ErrorKind::DataLoss);
}

TEST_F(HttpSource, a_rest_that_is_not_there_is_asked_for_as_a_whole) {
  site_.script = {{.body = "hello", .headers = {{"etag", "\"1\""}}, .error = broken()},
                  {.status = 416},
                  {.body = "hello", .headers = {{"etag", "\"1\""}}}};
  EXPECT_EQ(fetch(), "hello");
  EXPECT_EQ(asked(2, "Range"), "");
}

TEST_F(HttpSource, an_answer_that_ends_early_is_said_to) {
  const SiteAnswer cut{.body = "hel", .headers = {{"content-length", "5"}}, .error = broken()};
  site_.script = {cut, cut, cut};
  EXPECT_THAT(failure().message(), HasSubstr("ends early, after 3 of 5 bytes"));
  EXPECT_FALSE(content_->stat(Digest::of("hel")).value());
}

TEST_F(HttpSource, too_large_files_are_refused) {
  site_.files[kUrl] = {"x", {{"content-length", "99999999"}}};
  EXPECT_THAT(failure().message(), AllOf(HasSubstr(kUrl), HasSubstr("larger than")));
  site_.files[kUrl] = {std::string((4 << 20) + 1, 'x'), {}};
  EXPECT_THAT(failure().message(), AllOf(HasSubstr(kUrl), HasSubstr("larger than")));
  site_.files[kUrl] = {std::string(4 << 20, 'x'), {}};
  EXPECT_THAT(fetch(), SizeIs(4 << 20));
}

TEST_F(HttpSource, progress_is_shown_and_ends) {
  site_.files[kUrl] = {"hello", {{"content-length", "5"}}};
  fetch();
  const auto progress = events_.all<solver::Progress>();
  ASSERT_THAT(progress, SizeIs(2));
  EXPECT_EQ(progress[0].total, 5u);
  EXPECT_EQ(progress[1].current, 5u);
  EXPECT_TRUE(progress[1].done);
  EXPECT_EQ(progress[1].vertex, kVertex);
}

TEST_F(HttpSource, other_urls_and_names_are_refused) {
  EXPECT_EQ(failure("ftp://h/x").kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(failure("file:///etc/passwd").kind(), ErrorKind::InvalidArgument);
  const auto sources = build();
  for (const std::string name : {"", ".", "..", "a/b"}) {
    EXPECT_FALSE(sources->open({kUrl, name, {}}, kVertex, cancel_)) << name;
  }
  EXPECT_THAT(site_.asked, IsEmpty());
}

}  // namespace
}  // namespace mybuild::source

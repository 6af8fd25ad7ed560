// SPDX-License-Identifier: Apache-2.0
// Files from a server that does what servers should not, through the real network module.
#include "builder/source/http_source.h"
#include "snapshotter/base/child.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/content/local_store.h"
#include "tests/source/fake_site.h"
#include "tests/source/fakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace mybuild::source {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const solver::VertexId kVertex{Digest::of("vertex")};

/// tests/support/hostile_http.py, while it lives.
class HostileServer {
 public:
  HostileServer() : child_(start()) {
    pipe_.write_end.reset();
    std::array<std::byte, 64> line{};
    const std::size_t count = sys::read(pipe_.read_end.get(), line).value_or(0);
    address_ = std::string(as_text(ByteSpan(line).first(count)));
    address_.erase(address_.find_last_not_of('\n') + 1);
    EXPECT_THAT(address_, StartsWith("http://127.0.0.1:"));
  }
  const std::string& address() const { return address_; }

 private:
  Child start() {
    Child::Options options;
    options.argv = {"python3", MYBUILD_SOURCE_DIR "/tests/support/hostile_http.py"};
    options.env = {std::string("PATH=") + std::getenv("PATH")};
    options.fds = {{pipe_.write_end.get(), 1}, {2, 2}};
    return Child::spawn(options).value();
  }

  Pipe pipe_ = sys::pipe().value();
  std::string address_;
  Child child_;
};

class HostileHttp : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new HostileServer(); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  static std::string url(const std::string& path) { return server_->address() + path; }
  Result<SourceTree> open(const std::string& url) {
    sources_ =
        make_http_sources({*transport_, *content_, *metadata_, events_, clock_, &secrets_,
                           HttpLimits{.max_size = 32 << 20, .stall = std::chrono::seconds(1)}});
    return sources_->open({url, "file", {}}, kVertex, cancel_);
  }
  std::string fetch(const std::string& url) {
    const auto tree = open(url);
    EXPECT_TRUE(tree) << tree.error().message();
    return tree ? tree->view->read_small("file", 1 << 20).value().value_or("") : std::string();
  }
  /// Also that nothing is left in the store.
  Error failure(const std::string& path) {
    const auto tree = open(url(path));
    EXPECT_FALSE(tree) << path;
    EXPECT_THAT(names_in("ingest"), IsEmpty());
    EXPECT_THAT(names_in("blobs/sha256"), IsEmpty());
    if (tree) {
      return internal_error("no error");
    }
    EXPECT_THAT(tree.error().message(), HasSubstr(url(path)));
    return tree.error();
  }

  std::vector<std::string> names_in(const std::string& folder) const {
    const Fd fd = sys::open(dir_.path() + "/content/" + folder, O_RDONLY | O_DIRECTORY).value();
    return sys::list_dir(fd.get()).value();
  }

  static HostileServer* server_;
  TempDir dir_ = TempDir::create().value();
  std::unique_ptr<registry::Transport> transport_ = registry::make_lazy_curl_transport();
  std::unique_ptr<snapshotter::ContentStore> content_ =
      snapshotter::make_local_content_store(dir_.path() + "/content").value();
  std::unique_ptr<snapshotter::Metadata> metadata_ =
      snapshotter::Metadata::open(dir_.path() + "/state.db").value();
  FakeSecrets secrets_;
  RecordedEvents events_;
  SystemClock clock_;
  Cancel cancel_;
  std::unique_ptr<HttpSources> sources_;
};
HostileServer* HostileHttp::server_ = nullptr;

constexpr std::size_t kBodySize = 16 * 4096;

TEST_F(HostileHttp, good_answers_are_good) {
  const std::string body = fetch(url("/no-validators"));
  EXPECT_EQ(body.size(), kBodySize);
  for (const std::string path : {"/etag", "/etag-ignored", "/last-modified", "/gzip"}) {
    EXPECT_TRUE(fetch(url(path)) == body) << path;
    EXPECT_TRUE(fetch(url(path)) == body) << path;
  }
  for (const std::string path :
       {"/redirect", "/redirect-other-host", "/500-then-ok", "/429-then-ok", "/broken-then-rest"}) {
    EXPECT_TRUE(fetch(url(path)) == body) << path;
  }
  EXPECT_THAT(fetch(url("/archive")), StartsWith("\x1f\x8b"));
  EXPECT_EQ(fetch(url("/slow")), "slow\n");
}

TEST_F(HostileHttp, endless_things_end) {
  EXPECT_THAT(failure("/endless").message(), HasSubstr("larger than"));
  EXPECT_THAT(failure("/bomb").message(), HasSubstr("larger than"));
  EXPECT_THAT(failure("/headers-endless").message(), HasSubstr("bytes of headers"));
  EXPECT_THAT(failure("/loop").message(), HasSubstr("redirects"));
}

TEST_F(HostileHttp, silence_ends) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(failure("/stall").message(), HasSubstr("after 1 of 100 bytes"));
  EXPECT_EQ(failure("/silent").kind(), ErrorKind::Unavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(HostileHttp, wrong_lengths_are_said) {
  EXPECT_THAT(failure("/short").message(), HasSubstr("ends early, after 10 of 100 bytes"));
  EXPECT_THAT(failure("/chunks-cut").message(), HasSubstr("ends early, after 5 bytes"));
}

TEST_F(HostileHttp, other_protocols_are_refused) {
  EXPECT_EQ(failure("/redirect-file").kind(), ErrorKind::Denied);
  EXPECT_FALSE(open(url("/no-http")));
}

TEST_F(HostileHttp, a_missing_file_is_told_in_the_servers_words) {
  const Error error = failure("/missing");
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_THAT(error.message(), HasSubstr("404 Not Found: there is nothing"));
}

TEST_F(HostileHttp, a_login_goes_to_its_host_only) {
  EXPECT_EQ(failure("/private").kind(), ErrorKind::Denied);
  std::string with_login = url("/private");
  with_login.insert(with_login.find("//") + 2, "u:p@");
  EXPECT_EQ(fetch(with_login).size(), kBodySize);
  secrets_.values["HTTP_AUTH_TOKEN_127.0.0.1"] = "t0ken";
  EXPECT_EQ(fetch(url("/private")).size(), kBodySize);
  fetch(url("/redirect-other-host"));
  const std::string asked = fetch(url("/asked"));
  EXPECT_THAT(asked, AllOf(HasSubstr("GET /private Bearer t0ken -\n"),
                           HasSubstr("GET /redirect-other-host Bearer t0ken -\nGET "
                                     "/no-validators - -\n")));
}

TEST_F(HostileHttp, a_cancel_ends_an_endless_body) {
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    cancel_.request(make_error(ErrorKind::Cancelled, "interrupted"));
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(open(url("/silent")).error().kind(), ErrorKind::Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(900));
  canceller.join();
}

}  // namespace
}  // namespace mybuild::source

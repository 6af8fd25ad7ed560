// SPDX-License-Identifier: Apache-2.0
// The registry of the cache server, as a token of team/pr-12 may treat it: requests one after the
// other, divided by lines that hold "%" alone. Of each the first line is the method and the target,
// then come headers, an empty line, the body. "@x" stands for the digest of the one byte x, "@@"
// for the id of the last upload.
#include "builder/cache_server/registry/registry_api.h"
#include "builder/cache_server/store/access_tables.h"
#include "builder/cache_server/store/repository_tables.h"
#include "builder/cache_server/store/sqlite_meta_store.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/memory_blob_store.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace mybuild::fuzz {

using namespace cache_server;

namespace {

constexpr std::string_view kSecret = "of another namespace";
constexpr std::size_t kMaxRequests = 32;
const Time kNow{std::chrono::seconds(1'800'000'000)};

TempDir new_directory() {
  return TempDir::create(sys::exists_at(AT_FDCWD, "/dev/shm") ? "/dev/shm" : "").value();
}

/// The files of a database with the namespaces in it; to make them takes most of a run.
const std::vector<std::pair<std::string, std::string>>& database_files() {
  static const auto files = [] {
    const TempDir directory = new_directory();
    const std::string path = directory.path() + "/db";
    const auto meta = open_sqlite_meta_store(path).value();
    for (const auto& [name, parent] :
         {std::pair("team/main", ""), std::pair("team/pr-12", "team/main"),
          std::pair("other", "")}) {
      (void)meta->access().add_space({.name = name, .parent = parent, .seed = "seed"});
    }
    return std::vector{std::pair(std::string("/db"), read_file(path).value()),
                       std::pair(std::string("/db-wal"), read_file(path + "-wal").value())};
  }();
  return files;
}

/// A registry whose namespace team/main holds "a", and other the secret.
class World {
 public:
  World() {
    keep("a", "team/main");
    keep(kSecret, "other");
  }

  Answer ask(Request request, std::string_view body) {
    const bool is_announced = request.headers.count("x-streamed") == 0;
    request.body_size = is_announced ? std::optional<std::uint64_t>(body.size()) : std::nullopt;
    const auto exchange = api_.begin(std::move(request));
    if (const auto refusal = exchange->refusal()) {
      return *refusal;
    }
    const std::size_t half = body.size() / 2;
    (void)(exchange->write(as_bytes(body.substr(0, half))) &&
           exchange->write(as_bytes(body.substr(half))));
    return std::get<Answer>(exchange->finish());
  }

  /// Whatever was asked, by who may not write there.
  void check_others() {
    RepositoryTables& tables = meta_->repositories();
    const auto is_there = [&](const char* space, std::string_view bytes) {
      return tables.find_blob({space}, Digest::of(bytes), kNow).value().has_value();
    };
    require(is_there("team/main", "a") && is_there("other", kSecret), "others keep what they have");
    for (const char* space : {"team/main", "other", ""}) {
      require(!is_there(space, "b") && !is_there(space, ""), "nothing gets to others");
    }
    require(!is_there("team/pr-12", kSecret), "others' blobs are not taken");
  }

 private:
  void keep(std::string_view bytes, const std::string& space) {
    auto writer = blobs_->begin().value();
    (void)writer->write(as_bytes(bytes));
    (void)keeper_.keep(std::move(writer), Digest::of(bytes), space, kNow);
  }

  std::unique_ptr<MetaStore> open_meta() const {
    for (const auto& [name, bytes] : database_files()) {
      (void)write_file(directory_.path() + name, bytes);
    }
    return open_sqlite_meta_store(directory_.path() + "/db").value();
  }

  const TempDir directory_ = new_directory();
  const std::unique_ptr<BlobStore> blobs_ = make_memory_blob_store();
  const std::unique_ptr<MetaStore> meta_ = open_meta();
  BlobKeeper keeper_{*blobs_, *meta_};
  FixedClock clock_{kNow};
  RegistryApi api_{
      {.blobs = *blobs_,
       .keeper = keeper_,
       .meta = *meta_,
       .clock = clock_,
       .space_left = [](std::uint64_t) { return std::uint64_t{1} << 20; },
       .share_left = [](const std::string&, std::uint64_t) { return std::uint64_t{1} << 20; },
       .anonymous_read = true}};
};

/// What stands before `end`, which is taken off with it.
std::string_view take(std::string_view& text, std::string_view end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(std::min(at + end.size(), text.size()));
  return front;
}

std::string filled_in(std::string_view text, const std::string& upload) {
  std::string filled;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '@' || i + 1 == text.size()) {
      filled += text[i];
    } else {
      filled += text[++i] == '@' ? upload : Digest::of(text.substr(i, 1)).str();
    }
  }
  return filled;
}

Request request_in(std::string_view& text, const std::string& upload) {
  Request request;
  request.caller = {.token_id = "token",
                    .space = "team/pr-12",
                    .scopes = 3,
                    .readable = {"team/pr-12", "team/main"}};
  std::string_view head = take(text, "\n\n");
  std::string_view line = take(head, "\n");
  request.method = take(line, " ");
  request.path = filled_in(take(line, "?"), upload);
  while (!line.empty()) {
    std::string_view pair = take(line, "&");
    const std::string name(take(pair, "="));
    request.query[name] = filled_in(pair, upload);
  }
  while (!head.empty()) {
    std::string_view header = take(head, "\n");
    const std::string name(take(header, ": "));
    request.headers[name] = header;
  }
  return request;
}

void check(const Answer& answer) {
  require(answer.status >= 200 && answer.status < 500, "nobody makes the server fail");
  for (const auto& [name, value] : answer.headers) {
    require(std::none_of(value.begin(), value.end(),
                         [](char c) { return static_cast<unsigned char>(c) < ' '; }),
            "headers are lines");
  }
  if (const std::string* text = std::get_if<std::string>(&answer.body)) {
    const bool is_upload = answer.status == 416 && text->empty();
    require(answer.status < 400 || is_upload || text->starts_with("{\"errors\":[{\"code\":\""),
            "errors have the spec's form");
    return;
  }
  const BlobRange& range = std::get<BlobRange>(answer.body);
  if (range.blob == nullptr) {
    return;
  }
  require(range.offset + range.size <= range.blob->size(), "a range lies in its blob");
  std::string bytes(range.size, '\0');
  require(range.blob->read(range.offset, std::as_writable_bytes(std::span(bytes))).has_value(),
          "a blob can be read");
  require(bytes.find(kSecret) == std::string::npos, "others' blobs are not shown");
}

}  // namespace

void run(std::string_view input) {
  World world;
  std::string upload = "none";
  for (std::size_t i = 0; i < kMaxRequests && !input.empty(); ++i) {
    std::string_view text = take(input, "\n%\n");
    Request request = request_in(text, upload);
    const Answer answer = world.ask(std::move(request), filled_in(text, upload));
    check(answer);
    for (const auto& [name, value] : answer.headers) {
      upload = name == "Docker-Upload-UUID" ? value : upload;
    }
  }
  world.check_others();
}

}  // namespace mybuild::fuzz

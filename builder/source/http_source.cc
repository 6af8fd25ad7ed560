// SPDX-License-Identifier: Apache-2.0
#include "builder/source/http_source.h"

#include "builder/source/http_date.h"
#include "builder/source/single_file_view.h"
#include "snapshotter/base/guarded.h"
#include "solver/key.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

namespace mybuild::source {

namespace {

using snapshotter::HttpFileRow;

constexpr mode_t kFileMode = 0600;
constexpr std::chrono::milliseconds kReportInterval{100};
/// A Last-Modified tells a file from a later one only when it was old already: within a second a
/// file may change twice. A minute leaves room for clocks that differ.
constexpr std::int64_t kOldEnough = 60;

/// Who asks, as the server is told.
struct Credential {
  std::string header;  // "" = nobody in particular
  std::string name;    // for messages
};

Status check_file_name(const std::string& name) {
  const bool good = !name.empty() && name != "." && name != ".." &&
                    name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  return good ? Status() : invalid_argument("{:?} is no name for a file", name);
}

Digest request_key(const HttpAddress& address, const Credential& credential) {
  return solver::KeyBuilder("mybuild.http.request.v1")
      .add(address.url)
      .add(credential.header)
      .finish();
}

/// Shows under a vertex how far a download is.
class ProgressReport {
 public:
  ProgressReport(const HttpSourceDeps& deps, const solver::VertexId& vertex, std::string item)
      : deps_(deps), vertex_(vertex), item_(std::move(item)) {}

  void operator()(std::uint64_t current, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (current != 0 && now - last_ < kReportInterval) {
      return;
    }
    last_ = now;
    send(current, total, false);
  }
  void finish(std::uint64_t size) const { send(size, size, true); }

 private:
  void send(std::uint64_t current, std::uint64_t total, bool done) const {
    deps_.events.on_event(solver::Progress{.vertex = vertex_,
                                           .item = item_,
                                           .current = current,
                                           .total = total,
                                           .done = done,
                                           .time = deps_.clock.now()});
  }

  const HttpSourceDeps& deps_;
  const solver::VertexId vertex_;
  const std::string item_;
  std::chrono::steady_clock::time_point last_;
};

class StoredHttpSources final : public HttpSources {
 public:
  explicit StoredHttpSources(HttpSourceDeps deps) : deps_(deps) {}

  Result<SourceTree> open(const solver::HttpSource& source, const solver::VertexId& vertex,
                          const Cancel& cancel) override {
    TRY(check_file_name(source.filename));
    const HttpAddress address = TRY(parse_http_address(source.url));
    const Credential credential = TRY(credential_for(address, cancel));
    const Digest request = request_key(address, credential);
    if (source.checksum) {
      const std::optional<HttpFileRow> known = TRY(stored(request));
      if (known && known->content == *source.checksum) {
        return tree(source, *known);
      }
    }
    const HttpFileRow file = TRY(fetch_once(request, address, credential, vertex, cancel));
    if (source.checksum && file.content != *source.checksum) {
      return invalid_argument("GET {}: digest mismatch: the file is {}, its checksum says {}",
                              address.shown, file.content.str(), source.checksum->str())
          .with_hint("the file has changed since, or the checksum is that of another file");
    }
    return tree(source, file);
  }

 private:
  /// One URL as one asker sees it, in this build.
  struct Fetch {
    std::mutex mutex;  // held by who fetches; the others find the work done
    std::optional<Result<HttpFileRow>> outcome;
  };

  Result<HttpFileRow> fetch_once(const Digest& request, const HttpAddress& address,
                                 const Credential& credential, const solver::VertexId& vertex,
                                 const Cancel& cancel) {
    std::shared_ptr<Fetch> fetch;
    {
      auto fetches = fetches_.lock();
      std::shared_ptr<Fetch>& slot = (*fetches)[request];
      slot = slot ? slot : std::make_shared<Fetch>();
      fetch = slot;
    }
    const std::lock_guard lock(fetch->mutex);
    if (!fetch->outcome) {
      Result<HttpFileRow> row = ask(request, address, credential, vertex, cancel);
      if (!row && row.error().kind() == ErrorKind::Cancelled) {
        return row;  // says nothing to whoever waits and was not cancelled
      }
      fetch->outcome = std::move(row);
    }
    return *fetch->outcome;
  }

  Result<HttpFileRow> ask(const Digest& request, const HttpAddress& address,
                          const Credential& credential, const solver::VertexId& vertex,
                          const Cancel& cancel) {
    // Who waits here gets the other one's file for a question.
    std::optional<snapshotter::Claim> claim;
    if (deps_.claims != nullptr) {
      claim = TRY(deps_.claims->take({snapshotter::Claims::http_file(request)}, cancel,
                                     [&] { say_waiting(vertex); }));
    }
    const std::optional<HttpFileRow> known = TRY(stored(request));
    HttpQuestion question;
    question.address = address;
    question.authorization = credential.header;
    question.credential = credential.name;
    if (known) {
      question.known_etag = known->etag;
      const std::optional<std::int64_t> modified = parse_http_date(known->last_modified);
      if (modified && known->created - *modified >= kOldEnough) {
        question.known_since = known->last_modified;
      }
    }
    ProgressReport report(deps_, vertex, address.shown);
    HttpDownload download(deps_.transport, deps_.content, std::move(question), deps_.limits,
                          std::ref(report));
    const HttpAnswer answer = TRY(download.run(cancel));
    if (answer.is_unchanged) {
      return *known;
    }
    report.finish(answer.blob.size);
    return remember(request, answer);
  }

  void say_waiting(const solver::VertexId& vertex) const {
    deps_.events.on_event(solver::LogChunk{.vertex = vertex,
                                           .stream = 2,
                                           .bytes = "waiting for another build, which fetches it\n",
                                           .time = deps_.clock.now()});
  }

  Result<HttpFileRow> remember(const Digest& request, const HttpAnswer& answer) {
    const auto now = deps_.clock.now().time_since_epoch();
    HttpFileRow row;
    row.request = request;
    row.content = answer.blob.digest;
    row.size = answer.blob.size;
    row.etag = answer.etag;
    row.last_modified = answer.last_modified;
    row.created = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    TRY(deps_.metadata.put_http_file(row));
    return row;
  }

  /// What the URL led to, if the store still has its bytes.
  Result<std::optional<HttpFileRow>> stored(const Digest& request) {
    std::optional<HttpFileRow> row = TRY(deps_.metadata.find_http_file(request));
    if (row && !TRY(deps_.content.stat(row->content))) {
      row.reset();
    }
    return row;
  }

  /// As BuildKit has it: a token goes before a header, both before what is written in the URL.
  Result<Credential> credential_for(const HttpAddress& address, const Cancel& cancel) {
    Credential token{"", "HTTP_AUTH_TOKEN_" + address.host};
    token.header = TRY(secret(token.name, cancel));
    if (!token.header.empty()) {
      token.header.insert(0, "Bearer ");
      return token;
    }
    Credential header{"", "HTTP_AUTH_HEADER_" + address.host};
    header.header = TRY(secret(header.name, cancel));
    if (!header.header.empty()) {
      return header;
    }
    return address.login.empty() ? Credential()
                                 : Credential{address.login, "the login that the URL has in it"};
  }

  /// "" when there is none. The line break at the end of a file is not part of a header.
  Result<std::string> secret(const std::string& id, const Cancel& cancel) {
    if (deps_.secrets == nullptr) {
      return std::string();
    }
    std::string value = TRY(deps_.secrets->get(id, cancel))
    .value_or("");
    value.erase(value.find_last_not_of(" \t\r\n") + 1);
    const bool clean = std::all_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    });
    if (!clean) {
      return invalid_argument("secret {} has control characters, which no HTTP header can hold",
                              id);
    }
    return value;
  }

  Result<SourceTree> tree(const solver::HttpSource& source, const HttpFileRow& row) const {
    snapshotter::Entry file;
    file.path = source.filename;
    file.mode = kFileMode;
    file.size = row.size;
    file.content = row.content;
    SourceTree tree;
    tree.time = parse_http_date(row.last_modified);
    file.mtime.tv_sec = tree.time.value_or(0);
    tree.id =
        solver::KeyBuilder("mybuild.source.http.v1").add(row.content).add(source.filename).finish();
    const Digest content = *file.content;
    tree.view = make_single_file_view(
        std::move(file), [&store = deps_.content, content] { return store.open(content); });
    return tree;
  }

  const HttpSourceDeps deps_;
  Guarded<std::map<Digest, std::shared_ptr<Fetch>>> fetches_;
};

}  // namespace

std::unique_ptr<HttpSources> make_http_sources(HttpSourceDeps deps) {
  return std::make_unique<StoredHttpSources>(deps);
}

}  // namespace mybuild::source

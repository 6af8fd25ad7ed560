// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/registry/uploads.h"

#include "builder/cache_server/registry/answers.h"
#include "builder/cache_server/registry/byte_range.h"
#include "builder/cache_server/registry/lineage.h"

#include <fmt/core.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <utility>

namespace mybuild::cache_server {

namespace {

using Lease = UploadSessions::Lease;
using Trouble = UploadSessions::Trouble;

UploadSessions::Owner owner_of(const RepositoryRequest& request) {
  return {.token_id = request.request.caller.token_id, .repository = request.repository};
}

/// Where the upload is and how far it came. Of an empty one that is "0-0", too, as in all
/// registries.
Answer upload_answer(int status, const std::string& repository, const Lease& lease) {
  Answer answer = plain_answer(status);
  const std::uint64_t size = lease.size();
  answer.with("Location", fmt::format("/v2/{}/blobs/uploads/{}", repository, lease.id()))
      .with("Range", fmt::format("0-{}", size == 0 ? 0 : size - 1))
      .with("Docker-Upload-UUID", lease.id());
  return answer;
}

Answer trouble_answer(Trouble trouble) {
  if (trouble == Trouble::Unknown) {
    return error_answer(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload; begin another one");
  }
  Answer answer =
      error_answer(409, "BLOB_UPLOAD_INVALID", "another request is at work on this upload");
  answer.with("Retry-After", "1");
  return answer;
}

Answer too_many_uploads() {
  Answer answer = error_answer(429, "TOOMANYREQUESTS", "too many uploads are open");
  answer.with("Retry-After", "10");
  return answer;
}

/// Takes the body into a session; `size` is what Content-Range announces.
class UploadExchange final : public Exchange {
 public:
  UploadExchange(std::string repository, Lease lease, std::optional<std::uint64_t> size,
                 std::function<Answer(Lease lease)> done)
      : repository_(std::move(repository)),
        lease_(std::move(lease)),
        size_(size),
        done_(std::move(done)) {}

  Status write(ByteSpan bytes) override {
    if (size_ && bytes.size() > *size_ - got_) {
      is_other_size_ = true;
      return invalid_argument("more bytes than Content-Range says");
    }
    got_ += bytes.size();
    failure_ = lease_.write(bytes);
    return failure_;
  }

  Outcome finish() override {
    if (!failure_) {
      return error_answer(failure_.error());
    }
    if (is_other_size_ || (size_ && got_ != *size_)) {
      return upload_answer(416, repository_, lease_);
    }
    return done_(std::move(lease_));
  }

 private:
  const std::string repository_;
  Lease lease_;
  const std::optional<std::uint64_t> size_;
  const std::function<Answer(Lease lease)> done_;
  std::uint64_t got_ = 0;
  bool is_other_size_ = false;
  Status failure_;
};

Answer no_space() {
  return error_answer(
      make_error(ErrorKind::Unavailable, "no space is left for uploads").with_errno(EDQUOT));
}

Answer no_share(const std::string& space) {
  return error_answer(507, "UNAVAILABLE",
                      fmt::format("namespace {} has its share of the cache", space));
}

}  // namespace

std::unique_ptr<Exchange> Uploads::begin_new(RepositoryRequest request) {
  if (!request.is("POST")) {
    return refuse_with(unsupported_method("POST"));
  }
  if (request.request.query.contains("digest")) {
    return whole(request);
  }
  return answer_with([this, request = std::move(request)]() -> Outcome {
    const Result<Digest> digest = Digest::parse(request.request.parameter("mount"));
    if (!digest) {
      return open(request);  // as for a mount that cannot be
    }
    const Result<bool> mounted = mount(request, *digest);
    if (!mounted) {
      return error_answer(mounted.error());
    }
    return *mounted ? created(blob_address(request.repository, *digest), *digest) : open(request);
  });
}

Result<bool> Uploads::mount(const RepositoryRequest& request, const Digest& digest) {
  const Caller& caller = request.request.caller;
  const std::string from = request.request.parameter("from");
  const Time now = deps_.clock.now();
  if (!from.empty()) {
    const std::string space = TRY(deps_.meta.access().space_of(from));
    const auto spaces = TRY(lineage_of(deps_.meta.access(), space));
    return caller.may_read(space) ? deps_.keeper.share(spaces, digest, request.space, now)
                                  : Result<bool>(false);
  }
  if (!caller.has(Scope::Read)) {
    return false;
  }
  return caller.is_everywhere() ? deps_.keeper.share_from_anywhere(digest, request.space, now)
                                : deps_.keeper.share(caller.readable, digest, request.space, now);
}

Answer Uploads::open(const RepositoryRequest& request) {
  const auto lease = sessions_.open(owner_of(request));
  if (!lease) {
    return error_answer(lease.error());
  }
  return *lease ? upload_answer(202, request.repository, **lease) : too_many_uploads();
}

std::unique_ptr<Exchange> Uploads::whole(const RepositoryRequest& request) {
  const Result<Digest> digest = Digest::parse(request.request.parameter("digest"));
  if (!digest) {
    return refuse_with(digest_invalid(digest.error()));
  }
  auto lease = sessions_.open(owner_of(request));
  if (!lease) {
    return refuse_with(error_answer(lease.error()));
  }
  if (!*lease) {
    return refuse_with(too_many_uploads());
  }
  (*lease)->end();  // with this request, whatever comes of it: nobody learns the id
  return take(request, std::move(**lease), [this, request, digest = *digest](Lease done) {
    return commit(request, digest, std::move(done));
  });
}

std::unique_ptr<Exchange> Uploads::begin(const RepositoryRequest& request) {
  auto used = sessions_.use(request.reference, owner_of(request));
  if (const Trouble* trouble = std::get_if<Trouble>(&used)) {
    return refuse_with(trouble_answer(*trouble));
  }
  Lease lease = std::get<Lease>(std::move(used));
  if (request.is("GET") || request.is("HEAD")) {
    return refuse_with(upload_answer(204, request.repository, lease));
  }
  if (request.is("DELETE")) {
    lease.end();
    return refuse_with(plain_answer(204));
  }
  if (request.is("PATCH")) {
    return take(request, std::move(lease), [repository = request.repository](const Lease& done) {
      return upload_answer(202, repository, done);
    });
  }
  if (!request.is("PUT")) {
    return refuse_with(unsupported_method("GET, PATCH, PUT, DELETE"));
  }
  const Result<Digest> digest = Digest::parse(request.request.parameter("digest"));
  if (!digest) {
    return refuse_with(digest_invalid(digest.error()));
  }
  return take(request, std::move(lease), [this, request, digest = *digest](Lease done) {
    return commit(request, digest, std::move(done));
  });
}

std::unique_ptr<Exchange> Uploads::take(const RepositoryRequest& request, Lease lease, Done done) {
  std::optional<std::uint64_t> size;
  if (const std::string header = request.request.header("content-range"); !header.empty()) {
    const std::optional<ByteRange> range = parse_content_range(header);
    size = range ? std::optional(range->end - range->begin) : std::nullopt;
    if (!range || range->begin != lease.size() ||
        request.request.body_size.value_or(*size) != *size) {
      return refuse_with(upload_answer(416, request.repository, lease));
    }
  }
  const std::uint64_t announced = request.request.body_size.value_or(0);
  if (announced > sessions_.room(announced)) {
    return refuse_with(no_space());
  }
  const std::uint64_t wanted = lease.size() + announced;
  if (wanted > deps_.share_left(request.space, wanted)) {
    return refuse_with(no_share(request.space));
  }
  return std::make_unique<UploadExchange>(request.repository, std::move(lease), size,
                                          std::move(done));
}

Answer Uploads::commit(const RepositoryRequest& request, const Digest& digest, Lease lease) {
  if (lease.size() > deps_.share_left(request.space, lease.size())) {
    lease.end();
    return no_share(request.space);
  }
  const Status kept = deps_.keeper.keep(lease.take(), digest, request.space, deps_.clock.now());
  if (kept) {
    return created(blob_address(request.repository, digest), digest);
  }
  return kept.error().kind() == ErrorKind::InvalidArgument ? digest_invalid(kept.error())
                                                           : error_answer(kept.error());
}

}  // namespace mybuild::cache_server

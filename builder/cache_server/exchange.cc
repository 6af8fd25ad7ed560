// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/exchange.h"

#include "snapshotter/base/json.h"

#include <cerrno>

namespace mybuild::cache_server {

namespace {

std::string found_in(const std::map<std::string, std::string>& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? std::string() : found->second;
}

class Immediate final : public Exchange {
 public:
  explicit Immediate(std::function<Outcome()> answer) : answer_(std::move(answer)) {}
  Status write(ByteSpan) override { return {}; }
  Outcome finish() override { return answer_(); }

 private:
  std::function<Outcome()> answer_;
};

class Refusal final : public Exchange {
 public:
  explicit Refusal(Answer answer) : answer_(std::move(answer)) {}
  std::optional<Answer> refusal() override { return answer_; }
  Status write(ByteSpan) override { return {}; }
  Outcome finish() override { return answer_; }

 private:
  const Answer answer_;
};

class Gathering final : public Exchange {
 public:
  Gathering(std::size_t limit, std::size_t memory, std::function<Outcome(std::string)> answer)
      : limit_(limit), memory_(memory), answer_(std::move(answer)) {}
  std::size_t memory() const override { return memory_; }
  Status write(ByteSpan bytes) override {
    if (bytes.size() > limit_ - body_.size()) {
      is_too_large_ = true;
      return invalid_argument("the body has more than {} bytes", limit_);
    }
    body_.append(as_text(bytes));
    return {};
  }
  Outcome finish() override {
    return is_too_large_ ? Outcome(too_large(limit_)) : answer_(std::move(body_));
  }
  static Answer too_large(std::size_t limit) {
    return error_answer(413, "SIZE_INVALID", fmt::format("more than {} bytes", limit));
  }

 private:
  const std::size_t limit_;
  const std::size_t memory_;
  std::function<Outcome(std::string)> answer_;
  std::string body_;
  bool is_too_large_ = false;
};

struct StatusOf {
  ErrorKind kind;
  int status;
  std::string_view code;
  bool is_told = true;  // else the message is for the log: it may name files of the server
};

constexpr StatusOf kStatuses[] = {
    {ErrorKind::InvalidArgument, 400, "INVALID"},
    {ErrorKind::NotFound, 404, "NOT_FOUND"},
    {ErrorKind::AlreadyExists, 409, "EXISTS"},
    {ErrorKind::Denied, 403, "DENIED"},
    {ErrorKind::Unsupported, 501, "UNSUPPORTED"},
    {ErrorKind::Unavailable, 503, "UNAVAILABLE", false},
    {ErrorKind::Cancelled, 503, "UNAVAILABLE", false},
    {ErrorKind::Deadline, 503, "UNAVAILABLE", false},
};

Answer untold(int status, std::string_view code, const Error& error) {
  Answer answer = error_answer(status, code, "the cache server failed; its log says why");
  answer.note = error.message();
  return answer;
}

/// "" when there is room; EDQUOT is a limit that is smaller than the disk.
std::string_view what_is_full(const Error& error) {
  switch (error.os_errno()) {
    case ENOSPC:
      return "the disk of the cache server is full";
    case EDQUOT:
      return "the cache is full";
    default:
      return "";
  }
}

}  // namespace

std::string Request::header(const std::string& lower_case_name) const {
  return found_in(headers, lower_case_name);
}

std::string Request::parameter(const std::string& name) const {
  return found_in(query, name);
}

std::uint64_t Answer::body_size() const {
  const std::string* text = std::get_if<std::string>(&body);
  return text != nullptr ? text->size() : std::get<BlobRange>(body).size;
}

Answer& Answer::with(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::unique_ptr<Exchange> answer_with(std::function<Outcome()> answer) {
  return std::make_unique<Immediate>(std::move(answer));
}

std::unique_ptr<Exchange> refuse_with(Answer answer) {
  return std::make_unique<Refusal>(std::move(answer));
}

std::unique_ptr<Exchange> gather(std::size_t limit, std::optional<std::uint64_t> announced,
                                 std::function<Outcome(std::string body)> answer) {
  if (announced && *announced > limit) {
    return refuse_with(Gathering::too_large(limit));
  }
  const std::size_t memory = static_cast<std::size_t>(announced.value_or(limit));
  return std::make_unique<Gathering>(limit, memory, std::move(answer));
}

Answer error_answer(int status, std::string_view code, std::string_view message) {
  const Json body = {{"errors", Json::array({{{"code", code}, {"message", message}}})}};
  return json_answer(status, canonical_dump(body));
}

Answer error_answer(const Error& error) {
  if (const std::string_view full = what_is_full(error); !full.empty()) {
    return error_answer(507, "UNAVAILABLE", full);
  }
  for (const StatusOf& known : kStatuses) {
    if (known.kind == error.kind() && error.os_errno() == 0) {
      return known.is_told ? error_answer(known.status, known.code, error.message())
                           : untold(known.status, known.code, error);
    }
  }
  return untold(500, "UNKNOWN", error);
}

Answer unsupported_method(std::string_view allowed) {
  Answer answer = error_answer(405, "UNSUPPORTED", "this address does not take that method");
  return answer.with("Allow", std::string(allowed));
}

Answer json_answer(int status, std::string json) {
  return Answer{.status = status,
                .headers = {{"Content-Type", "application/json"}},
                .body = std::move(json),
                .note = {}};
}

}  // namespace mybuild::cache_server

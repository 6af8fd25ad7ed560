// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper_process.h"

#include "snapshotter/base/child.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace mybuild::git {

namespace {

using Moment = std::chrono::steady_clock::time_point;

constexpr std::size_t kLongestLine = std::size_t{1} << 20U;
constexpr std::size_t kKeptOfStderr = 2048;

/// What of our environment git's servers are reached through.
constexpr std::array kPassedOn = {"http_proxy",    "https_proxy", "no_proxy", "all_proxy",
                                  "HTTP_PROXY",    "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
                                  "SSL_CERT_FILE", "SSL_CERT_DIR"};

std::vector<std::string> clean_environment(const std::string& home) {
  std::vector<std::string> env = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
      "HOME=" + home};
  for (const char* name : kPassedOn) {
    if (const char* value = std::getenv(name)) {
      env.push_back(fmt::format("{}={}", name, value));
    }
  }
  return env;
}

/// Ends a helper and all that it started. To be destroyed before the child is waited for: until
/// then its number is not another's.
class GroupKill {
 public:
  explicit GroupKill(pid_t leader) : leader_(leader) {}
  GroupKill(const GroupKill&) = delete;
  GroupKill& operator=(const GroupKill&) = delete;
  ~GroupKill() { ::kill(-leader_, SIGKILL); }

 private:
  pid_t leader_;
};

/// The conversation with one helper.
class Conversation {
 public:
  Conversation(const HelperCall& call, const Cancel& cancel) : call_(call), cancel_(cancel) {}

  Result<HelperResult> hold() {
    Child child = TRY(start());
    {
      const GroupKill group(child.pid());
      heard_ = std::chrono::steady_clock::now();
      while (!end_ && answers_) {
        TRY(wait_once());
      }
      read_errors();
    }
    const ExitStatus status = TRY(child.wait());
    return end_ ? std::move(*end_) : Result<HelperResult>(died(status));
  }

 private:
  Result<Child> start() {
    const Fd request = TRY(sys::memfd("git-request"));
    TRY(sys::write_all(request.get(), as_bytes(encode(call_.request))));
    if (::lseek(request.get(), 0, SEEK_SET) < 0) {
      return os_error(errno, "rewind a memory file");
    }
    const Fd nothing = TRY(sys::open("/dev/null", O_RDONLY));
    Pipe answers = TRY(sys::pipe());
    Pipe errors = TRY(sys::pipe());
    Child::Options options;
    options.argv = {call_.program, "serve"};
    options.env = clean_environment(call_.request.scratch);
    options.new_session = true;
    options.fds = {{nothing.get(), 0},
                   {errors.write_end.get(), 1},
                   {errors.write_end.get(), 2},
                   {request.get(), kRequestFd},
                   {answers.write_end.get(), kAnswersFd}};
    if (call_.agent_socket >= 0) {
      options.fds.emplace_back(call_.agent_socket, kAgentFd);
    }
    Child child = TRY(Child::spawn(options).context("start mybuild-git"));
    answers_ = std::move(answers.read_end);
    errors_ = std::move(errors.read_end);
    TRY(sys::set_nonblocking(errors_.get(), true));
    return child;
  }

  Status wait_once() {
    const auto silent = std::chrono::steady_clock::now() - heard_;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(call_.stall - silent);
    std::array<struct pollfd, 3> entries = {{{.fd = answers_.get(), .events = POLLIN, .revents = 0},
                                             {.fd = errors_.get(), .events = POLLIN, .revents = 0},
                                             {.fd = cancel_.fd(), .events = POLLIN, .revents = 0}}};
    const int ready = left.count() <= 0 ? 0
                                        : ::poll(entries.data(), entries.size(),
                                                 static_cast<int>(left.count()) + 1);
    if (ready < 0 && errno != EINTR) {
      return os_error(errno, "wait for mybuild-git");
    }
    TRY(cancel_.check());
    if (ready == 0) {
      return make_error(ErrorKind::Deadline, "the server stalls: nothing came from it for {} s",
                        std::chrono::duration_cast<std::chrono::seconds>(call_.stall).count());
    }
    if (ready > 0 && entries[1].revents != 0) {
      read_errors();
    }
    if (ready > 0 && entries[0].revents != 0) {
      TRY(read_answers());
    }
    return {};
  }

  void read_errors() {
    const Result<std::size_t> size = sys::read(errors_.get(), buffer_);
    if (!size || *size == 0) {
      if (size || size.error().os_errno() != EAGAIN) {
        errors_.reset();
      }
      return;
    }
    said_.append(as_text(ByteSpan(buffer_).first(*size)));
    if (said_.size() > kKeptOfStderr) {
      said_.erase(0, said_.size() - kKeptOfStderr);
    }
  }

  Status read_answers() {
    const std::size_t size = TRY(sys::read(answers_.get(), buffer_));
    if (size == 0) {
      answers_.reset();
      return {};
    }
    heard_ = std::chrono::steady_clock::now();
    line_.append(as_text(ByteSpan(buffer_).first(size)));
    for (std::size_t end = line_.find('\n'); end != std::string::npos && !end_;
         end = line_.find('\n')) {
      TRY(take(line_.substr(0, end)));
      line_.erase(0, end + 1);
    }
    return line_.size() > kLongestLine ? Status(internal_error("mybuild-git answers without end"))
                                       : Status();
  }

  Status take(const std::string& line) {
    HelperAnswer answer = TRY(decode_answer(line).context("mybuild-git"));
    if (auto* progress = std::get_if<HelperProgress>(&answer)) {
      if (call_.on_progress) {
        call_.on_progress(*progress);
      }
    } else if (auto* warning = std::get_if<HelperWarning>(&answer)) {
      if (call_.on_warning) {
        call_.on_warning(warning->text);
      }
    } else if (auto* result = std::get_if<HelperResult>(&answer)) {
      end_ = std::move(*result);
    } else {
      end_ = std::get<Error>(std::move(answer));
    }
    return {};
  }

  Error died(const ExitStatus& status) const {
    std::string said = said_.substr(0, said_.find_last_not_of('\n') + 1);
    const std::string tail = said.empty() ? "" : ": " + said;
    return status.signal != 0 ? internal_error("mybuild-git was ended by signal {} ({}){}",
                                               status.signal, ::strsignal(status.signal), tail)
                              : internal_error("mybuild-git ended without an answer (status {}){}",
                                               status.code, tail);
  }

  const HelperCall& call_;
  const Cancel& cancel_;
  Fd answers_;
  Fd errors_;
  Moment heard_;
  std::string line_;
  std::string said_;
  std::optional<Result<HelperResult>> end_;
  std::array<std::byte, std::size_t{64} << 10U> buffer_{};
};

}  // namespace

Result<HelperResult> call_helper(const HelperCall& call, const Cancel& cancel) {
  TRY(cancel.check());
  return std::make_unique<Conversation>(call, cancel)->hold();
}

}  // namespace mybuild::git

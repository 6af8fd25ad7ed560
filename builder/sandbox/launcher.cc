// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/control.h"
#include "builder/sandbox/plan_wire.h"
#include "builder/sandbox/sandbox.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/sys.h"

#include <linux/memfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

namespace mybuild::sandbox {

namespace {

constexpr int kKillGraceMs = 5000;
constexpr std::size_t kMostWaiting = 4;

/// The helper's program, copied once into a sealed memory file: a hostile step that gets at
/// /proc/<pid>/exe of a helper finds nothing it could overwrite. Where that is not possible the
/// file itself is started.
class HelperProgram {
 public:
  explicit HelperProgram(std::string path) : path_(std::move(path)) {}

  std::string path() {
    std::call_once(once_, [this] {
      Result<Fd> copy = seal();
      if (copy) {
        // Not /proc/self: the starting child has closed its descriptors before it executes this.
        sealed_ = std::move(copy).value();
        path_ = fmt::format("/proc/{}/fd/{}", ::getpid(), sealed_.get());
      }
    });
    return path_;
  }

 private:
  Result<Fd> seal() const {
    const Fd file = TRY(sys::open(path_, O_RDONLY));
    const unsigned base = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    constexpr unsigned kExecutable = 0x10;  // MFD_EXEC, Linux 6.3
    long fd = ::syscall(SYS_memfd_create, "mybuild-sandbox", base | kExecutable);
    if (fd < 0) {
      fd = ::syscall(SYS_memfd_create, "mybuild-sandbox", base);
    }
    Fd memory(static_cast<int>(fd));
    if (!memory) {
      return os_error(errno, "make a memory file");
    }
    TRY(sys::copy_file(file.get(), memory.get()));
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (::fcntl(memory.get(), F_ADD_SEALS, seals) < 0) {
      return os_error(errno, "seal a memory file");
    }
    return Fd(::open(sys::proc_fd_path(memory.get()).c_str(), O_RDONLY | O_CLOEXEC));
  }

  std::string path_;
  Fd sealed_;
  std::once_flag once_;
};

/// A helper process, and our end of the conversation with it.
struct Helper {
  Child child;
  Fd control;
};

/// Our ends of stdout and stderr; empty when the command has descriptors of its own.
using Logs = std::array<Fd, 2>;

/// The conversation with one helper, until its report.
class Conversation {
 public:
  Conversation(Helper& helper, Logs& logs, const Stdio& stdio, const Cancel& cancel, int signals)
      : helper_(helper), logs_(logs), stdio_(stdio), cancel_(cancel), signals_(signals) {}

  Result<SandboxExit> hold() {
    while (!report_) {
      TRY(wait_once());
    }
    for (std::size_t i = 0; i < logs_.size(); ++i) {
      drain(i);  // all writers are dead: what there is can be read without waiting
    }
    if (killed_) {
      TRY(cancel_.check());
    }
    return std::move(*report_);
  }

 private:
  enum { Control, Out, Err, Stop, Signals, Count };

  Status wait_once() {
    std::array<struct pollfd, Count> entries{};
    const int fds[Count] = {helper_.control.get(), logs_[0].get(), logs_[1].get(),
                            killed_ ? -1 : cancel_.fd(), signals_};
    for (std::size_t i = 0; i < Count; ++i) {
      entries[i] = {.fd = fds[i], .events = POLLIN, .revents = 0};
    }
    const int ready = ::poll(entries.data(), Count, killed_ ? kKillGraceMs : -1);
    if (ready < 0 && errno != EINTR) {
      return os_error(errno, "wait for the sandbox");
    }
    if (ready == 0) {  // the helper does not answer; its death kills the command too
      return helper_.child.kill(SIGKILL);
    }
    const auto is_ready = [&entries](std::size_t i) { return entries[i].revents != 0; };
    for (std::size_t i : {std::size_t{Out}, std::size_t{Err}}) {
      if (is_ready(i)) {
        pump(i - Out);
      }
    }
    if (is_ready(Stop)) {
      killed_ = true;
      [[maybe_unused]] const Status told = send_packet(helper_.control.get(), {&kKill, 1});
    }
    if (is_ready(Signals)) {
      forward_signal();
    }
    if (is_ready(Control)) {
      take_report();
    }
    return {};
  }

  /// One read; false when there is nothing (left).
  bool pump(std::size_t log) {
    Fd& fd = logs_[log];
    const Result<std::size_t> size = sys::read(fd.get(), buffer_);
    if (!size || *size == 0) {
      if (size || size.error().os_errno() != EAGAIN) {
        fd.reset();
      }
      return false;
    }
    stdio_.on_output(static_cast<int>(log) + 1, as_text(ByteSpan(buffer_).first(*size)));
    return true;
  }

  void drain(std::size_t log) {
    while (logs_[log] && pump(log)) {
    }
  }

  void forward_signal() {
    std::byte number{};
    const Result<std::size_t> size = sys::read(signals_, {&number, 1});
    if (!size || *size == 0) {
      signals_ = -1;
      return;
    }
    const char packet[2] = {kSignal, static_cast<char>(number)};
    [[maybe_unused]] const Status sent = send_packet(helper_.control.get(), {packet, 2});
  }

  void take_report() {
    const Result<std::optional<std::string>> packet = receive_packet(helper_.control.get());
    if (!packet) {
      report_ = packet.error();
    } else if (*packet) {
      report_ = decode_report(**packet);
    } else {
      report_ = internal_error("the sandbox helper ended without a report");
    }
  }

  Helper& helper_;
  Logs& logs_;
  const Stdio& stdio_;
  const Cancel& cancel_;
  int signals_;
  bool killed_ = false;
  std::optional<Result<SandboxExit>> report_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(std::size_t{64} << 10U);
};

class ProcessSandbox final : public Sandbox {
 public:
  explicit ProcessSandbox(std::string helper) : program_(std::move(helper)) {}

  Result<SandboxExit> run(const SandboxPlan& plan, Stdio stdio, const Cancel& cancel,
                          const std::vector<int>& fds, int signals) override {
    TRY(cancel.check());
    Logs logs;
    Helper helper = TRY(start(plan, stdio, fds, logs).context("start the sandbox"));
    Result<SandboxExit> report = Conversation(helper, logs, stdio, cancel, signals).hold();
    if (!report) {
      return report.error();  // ends the helper
    }
    keep(std::move(helper));
    return report;
  }

 private:
  Result<Helper> start(const SandboxPlan& plan, Stdio& stdio, const std::vector<int>& fds,
                       Logs& logs) {
    const Fd plan_fd = TRY(plan_file(plan));
    TRY(complete(stdio, logs));
    std::vector<int> list = {stdio.in.get(), stdio.out.get(), stdio.err.get()};
    list.insert(list.end(), fds.begin(), fds.end());
    list.push_back(plan_fd.get());
    Helper helper = TRY(start_with(list));
    // Only the helper may hold the far ends, or their ends would never be seen.
    stdio.in.reset();
    stdio.out.reset();
    stdio.err.reset();
    return helper;
  }

  /// One that has served another step, if there is one; somebody may have killed it.
  Result<Helper> start_with(const std::vector<int>& fds) {
    std::optional<Helper> waiting = take_waiting();
    if (waiting && send_descriptors(waiting->control.get(), fds)) {
      return std::move(*waiting);
    }
    Helper helper = TRY(spawn());
    TRY(send_descriptors(helper.control.get(), fds));
    return helper;
  }

  Result<Helper> spawn() {
    SocketPair control = TRY(sys::socket_pair());
    const Fd null = TRY(sys::open("/dev/null", O_RDWR));
    Child::Options options;
    options.fds = {
        {null.get(), 0}, {null.get(), 1}, {null.get(), 2}, {control.child.get(), kControlFd}};
    options.argv = {program_.path(), "serve"};
    Child child = TRY(Child::spawn(options));
    return Helper{.child = std::move(child), .control = std::move(control.parent)};
  }

  static Result<Fd> plan_file(const SandboxPlan& plan) {
    Fd file = TRY(sys::memfd("sandbox-plan"));
    TRY(sys::write_all(file.get(), as_bytes(pack(plan))));
    return file;
  }

  /// The last one that became free, as its frame is the likeliest to fit.
  std::optional<Helper> take_waiting() {
    const auto waiting = waiting_.lock();
    if (waiting->empty()) {
      return std::nullopt;
    }
    std::optional<Helper> helper(std::move(waiting->back()));
    waiting->pop_back();
    return helper;
  }

  void keep(Helper helper) {
    const auto waiting = waiting_.lock();
    if (waiting->size() < kMostWaiting) {
      waiting->push_back(std::move(helper));
    }
  }

  /// Fills what the caller left open: log pipes, or /dev/null.
  static Status complete(Stdio& stdio, Logs& logs) {
    Fd* const far_ends[] = {&stdio.out, &stdio.err};
    for (std::size_t i = 0; i < 2; ++i) {
      if (stdio.on_output) {
        Pipe pipe = TRY(sys::pipe());
        TRY(sys::set_nonblocking(pipe.read_end.get(), true));
        logs[i] = std::move(pipe.read_end);
        *far_ends[i] = std::move(pipe.write_end);
      } else if (!*far_ends[i]) {
        *far_ends[i] = TRY(sys::open("/dev/null", O_WRONLY));
      }
    }
    if (!stdio.in) {
      stdio.in = TRY(sys::open("/dev/null", O_RDONLY));
    }
    return {};
  }

  HelperProgram program_;
  Guarded<std::vector<Helper>> waiting_;
};

}  // namespace

std::unique_ptr<Sandbox> make_sandbox(std::string helper) {
  return std::make_unique<ProcessSandbox>(std::move(helper));
}

Result<std::string> find_helper() {
  const std::string own = TRY(sys::readlink_at(AT_FDCWD, "/proc/self/exe"));
  const std::string directory = own.substr(0, own.rfind('/'));
  for (const char* place : {"/mybuild-sandbox", "/../libexec/mybuild/mybuild-sandbox"}) {
    if (::access((directory + place).c_str(), X_OK) == 0) {
      return directory + place;
    }
  }
  return not_found("the program mybuild-sandbox is missing")
      .with_hint("it belongs beside " + own + " or into ../libexec/mybuild");
}

}  // namespace mybuild::sandbox

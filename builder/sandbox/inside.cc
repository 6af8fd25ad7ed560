// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/inside.h"

#include "builder/sandbox/control.h"
#include "builder/sandbox/exec.h"
#include "builder/sandbox/file_mounts.h"
#include "builder/sandbox/frame.h"
#include "builder/sandbox/identity.h"
#include "builder/sandbox/init.h"
#include "builder/sandbox/rights.h"
#include "builder/sandbox/rlimits.h"
#include "builder/sandbox/rootfs.h"
#include "builder/sandbox/seccomp.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

namespace mybuild::sandbox {

namespace {

Status enter_world(const SandboxPlan& plan, int setup, int frame) {
  StubRecord stubs;
  const Status entered = enter_root(plan, frame, stubs);
  if (!stubs.made.empty()) {
    TRY(send_packet(setup, encode_stubs(stubs)));
  }
  return entered;
}

/// No descriptor of the host's file tree may be open when paths of the image (working directory,
/// program) are opened: /proc/self/fd would be a way out.
Status close_host_descriptors(int setup) {
  const auto below = static_cast<unsigned>(setup) - 1;
  if (below >= 3) {
    ::syscall(SYS_close_range, 3U, below, 0U);
  }
  if (::syscall(SYS_close_range, static_cast<unsigned>(setup) + 1, ~0U, 0U) < 0) {
    return os_error(errno, "close descriptors");
  }
  return {};
}

Status enter_working_directory(int root, const SandboxPlan& plan, const Identity& identity) {
  const Fd directory = TRY(make_dirs_in_root(root, plan.cwd, 0755, identity.uid, identity.gid)
                               .context("working directory " + plan.cwd));
  if (::fchdir(directory.get()) < 0) {
    return os_error(errno, "enter working directory " + plan.cwd);
  }
  return {};
}

/// The C library keeps two signals to itself, so posix_spawn could not reset them.
void reset_reserved_signals() {
  constexpr std::size_t kSetSize = 8;  // bytes of a kernel sigset
  const struct { std::uint64_t handler, flags, restorer, mask; } defaults{};
  for (int signal : {32, 33}) {
    ::syscall(SYS_rt_sigaction, signal, &defaults, nullptr, kSetSize);
  }
}

Status start_session(const SandboxPlan& plan) {
  ::setsid();
  reset_reserved_signals();
  if (plan.terminal && ::ioctl(0, TIOCSCTTY, 0) < 0) {
    return os_error(errno, "take the terminal");
  }
  return {};
}

/// Processes of a pipeline then do not take the core from each other with every block they pass on.
/// Who was given another class than the usual one keeps it.
void work_in_batches() {
  const sched_param no_priority{};
  if (::sched_getscheduler(0) == SCHED_OTHER) {
    (void)::sched_setscheduler(0, SCHED_BATCH, &no_priority);
  }
}

/// The program may open its streams again by name (/dev/stderr), so they must be its own. Those
/// that are no one's to give (files of a read-only place, /dev/null) stay as they are.
void own_streams(const Identity& identity) {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    const Result<struct stat> info = sys::fstat(stream);
    const bool private_kind =
        info && (S_ISFIFO(info->st_mode) || S_ISSOCK(info->st_mode) || ::isatty(stream) == 1);
    if (private_kind && info->st_uid != identity.uid) {
      (void)sys::fchown(stream, identity.uid, info->st_gid);
    }
  }
}

/// The filter first, as without no_new_privs it needs a capability; then the rights themselves.
Status drop_rights(const SandboxPlan& plan, const Identity& identity) {
  if (plan.insecure) {
    return become_with_all_capabilities(identity);
  }
  TRY(install_default_filter());
  return become(identity, sandbox_defaults().capabilities);
}

/// Dies with the helper. Set last, as a change of user clears it; the helper may have gone before
/// that.
Status follow_helper(int setup) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
    return os_error(errno, "follow the helper");
  }
  struct pollfd socket {
    .fd = setup, .events = 0, .revents = 0
  };
  if (::poll(&socket, 1, 0) > 0 && (socket.revents & POLLHUP) != 0) {
    return Error(ErrorKind::Cancelled, "the helper is gone");
  }
  return {};
}

bool has_home(const std::vector<std::string>& env) {
  return std::any_of(env.begin(), env.end(),
                     [](const std::string& entry) { return entry.starts_with("HOME="); });
}

/// The variables of the plan and the secret ones, which win.
Result<std::vector<std::string>> environment(const SandboxPlan& plan) {
  std::vector<std::string> env = plan.env;
  for (const SecretVariable& variable : plan.secret_env) {
    const std::string start = variable.name + "=";
    std::string value = TRY(read_memory_file(variable.fd).context("variable " + variable.name));
    std::erase_if(env, [&start](const std::string& entry) { return entry.starts_with(start); });
    env.push_back(start + value);
  }
  return env;
}

Result<Command> prepare(const SandboxPlan& plan, int setup, int frame) {
  Command command{.argv = plan.argv, .env = {}};
  command.env = TRY(environment(plan));
  TRY(enter_world(plan, setup, frame));
  TRY(close_host_descriptors(setup));
  const Fd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  Identity identity = TRY(find_identity_in_root(root.get(), plan.user));
  identity.groups.insert(identity.groups.end(), plan.groups.begin(), plan.groups.end());
  if (!has_home(command.env)) {
    command.env.push_back("HOME=" + identity.home);
  }
  TRY(enter_working_directory(root.get(), plan, identity));
  if (plan.root_read_only) {
    TRY(make_root_read_only());
  }
  TRY(start_session(plan));
  own_streams(identity);
  TRY(apply_rlimits(plan.rlimits));
  if (plan.batch) {
    work_in_batches();
  }
  ::umask(0022);
  TRY(drop_rights(plan, identity));
  TRY(follow_helper(setup));
  return command;
}

[[noreturn]] void report_and_exit(int setup, const Result<SandboxExit>& report) {
  const Status sent = send_packet(setup, encode_report(report));
  ::_exit(report && sent ? report->status.code : 125);
}

[[noreturn]] void run_in_frame(const SandboxPlan& plan, int setup, int frame) {
  const Result<Command> command = prepare(plan, setup, frame);
  if (!command) {
    report_and_exit(setup, explain_rights(command.error()));
  }
  const auto start = [&command, setup] { report_and_exit(setup, execute(*command)); };
  if (plan.init) {
    run_init(start, setup);
  }
  start();
  ::_exit(127);
}

Result<Fd> prepare_ahead(const SandboxPlan& like, int setup) {
  TRY(close_host_descriptors(setup));  // the builder must see its helper end
  Fd frame = TRY(make_frame(like));
  TRY(limit_gains(sandbox_defaults().capabilities));  // no frame is for an insecure plan
  return frame;
}

/// What the helper hands over, each at its place, with our own behind them.
struct Handed {
  SandboxPlan plan;
  int setup = -1;
  int frame = -1;
};

/// nullopt: the helper is gone, or was not needed.
Result<std::optional<Handed>> receive_step(int setup, Fd frame) {
  std::optional<std::vector<Fd>> fds = TRY(receive_descriptors(setup));
  if (!fds || fds->empty()) {
    return std::optional<Handed>();
  }
  const int plan_fd = static_cast<int>(fds->size()) - 1;
  fds->emplace_back(setup);
  fds->push_back(std::move(frame));
  TRY(put_in_place(std::move(*fds)));
  SandboxPlan plan = TRY(read_plan(plan_fd));
  return std::optional(Handed{.plan = std::move(plan), .setup = plan_fd + 1, .frame = plan_fd + 2});
}

}  // namespace

void run_inside(const SandboxPlan& plan, int setup) {
  ::umask(0);  // modes are meant as they are written
  const Result<Fd> frame = make_frame(plan);
  if (!frame) {
    report_and_exit(setup, explain_rights(frame.error()));
  }
  run_in_frame(plan, setup, frame->get());
}

void wait_inside(const SandboxPlan& like, int setup) {
  ::umask(0);
  Result<Fd> frame = prepare_ahead(like, setup);
  if (!frame) {
    report_and_exit(setup, explain_rights(frame.error()));
  }
  const Result<std::optional<Handed>> step = receive_step(setup, std::move(*frame));
  if (!step) {
    report_and_exit(setup, step.error());
  }
  if (!*step) {
    ::_exit(0);
  }
  run_in_frame((*step)->plan, (*step)->setup, (*step)->frame);
}

}  // namespace mybuild::sandbox

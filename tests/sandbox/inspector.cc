// SPDX-License-Identifier: Apache-2.0
// Static, so that it runs in any root: "syscall NUMBER ARG…" prints the errno name or "ok";
// "daemon" leaves a process behind that holds stdout; "flood BYTES" writes numbered lines;
// "clone-user" tries a user namespace; "pty" talks through a pseudo-terminal.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

int print_result(long result) {
  std::puts(result < 0 ? strerrorname_np(errno) : "ok");
  return 0;
}

int call(int argc, char** argv) {
  long values[6] = {};
  for (int i = 3; i < argc && i < 9; ++i) {
    values[i - 3] = std::strtol(argv[i], nullptr, 0);
  }
  return print_result(::syscall(std::strtol(argv[2], nullptr, 0), values[0], values[1], values[2],
                                values[3], values[4], values[5]));
}

int leave_daemon() {
  if (::fork() != 0) {
    std::puts("parent done");
    return 0;
  }
  ::setsid();
  if (::fork() != 0) {
    ::_exit(0);
  }
  ::sleep(1000);
  return 0;
}

int flood(long bytes) {
  char line[64];
  for (long written = 0, number = 0; written < bytes; ++number) {
    const int size = std::snprintf(line, sizeof line, "%015ld\n", number);
    std::fwrite(line, 1, static_cast<std::size_t>(size), number % 2 == 0 ? stdout : stderr);
    written += size;
  }
  return 0;
}

int clone_user() {
  const long pid =
      ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) {
    ::_exit(0);
  }
  return print_result(pid);
}

int talk_through_pty() {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) < 0 || ::unlockpt(master) < 0) {
    return print_result(-1);
  }
  const char* const name = ::ptsname(master);
  const int terminal = ::open(name, O_RDWR | O_NOCTTY);
  char text[16] = {};
  if (terminal < 0 || ::write(terminal, "hello", 5) != 5 ||
      ::read(master, text, sizeof text - 1) != 5) {
    return print_result(-1);
  }
  std::printf("%s says %s\n", name, text);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "syscall" && argc > 2) {
    return call(argc, argv);
  }
  if (verb == "daemon") {
    return leave_daemon();
  }
  if (verb == "flood" && argc > 2) {
    return flood(std::strtol(argv[2], nullptr, 10));
  }
  if (verb == "pty") {
    return talk_through_pty();
  }
  return verb == "clone-user" ? clone_user() : 2;
}

// SPDX-License-Identifier: Apache-2.0
#include "builder/export/image_loader.h"

#include "builder/export/exporters.h"
#include "snapshotter/base/child.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace mybuild::exporter {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPatience = 2s;
constexpr std::size_t kMaxWords = 4096;

/// DOCKER_HOST, DOCKER_CONTEXT, HOME, XDG_RUNTIME_DIR …: the program is the user's own.
std::vector<std::string> our_environment() {
  std::vector<std::string> variables;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

/// A program that runs beside us; what it says on both streams is kept.
class Program {
 public:
  static Result<Program> start(std::vector<std::string> argv, int input) {
    Fd words = TRY(sys::memfd("words"));
    Child::Options options;
    options.argv = std::move(argv);
    options.env = our_environment();
    options.fds = {{input, 0}, {words.get(), 1}, {words.get(), 2}};
    Child child = TRY(Child::spawn(options));
    return Program(std::move(child), std::move(words));
  }

  /// False when it was ended, because the time was over or the build is.
  Result<bool> finish_within(std::chrono::milliseconds limit, const Cancel& cancel) {
    struct pollfd watched[] = {{child_.pidfd(), POLLIN, 0}, {cancel.fd(), POLLIN, 0}};
    const int timeout = limit.count() < 0 ? -1 : static_cast<int>(limit.count());
    while (::poll(watched, 2, timeout) < 0) {
      if (errno != EINTR) {
        return os_error(errno, "poll");
      }
    }
    if (watched[0].revents != 0) {
      return true;
    }
    TRY(child_.kill(SIGKILL));
    return false;
  }
  Result<ExitStatus> wait() { return child_.wait(); }

  /// The end of what it said, without white space around it.
  std::string words() const {
    std::string text(kMaxWords, '\0');
    const off_t size = ::lseek(words_.get(), 0, SEEK_END);
    const off_t start = std::max<off_t>(0, size - static_cast<off_t>(kMaxWords));
    const ssize_t count = ::pread(words_.get(), text.data(), text.size(), start);
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    const std::size_t first = text.find_first_not_of(" \n\r\t");
    return first == std::string::npos
               ? std::string()
               : text.substr(first, text.find_last_not_of(" \n\r\t") - first + 1);
  }

 private:
  Program(Child child, Fd words) : child_(std::move(child)), words_(std::move(words)) {}
  Child child_;
  Fd words_;
};

/// Why it cannot be used; empty when it can.
Result<std::string> try_program(const std::string& program, const Cancel& cancel) {
  const Fd nothing = TRY(sys::open("/dev/null", O_RDONLY));
  Result<Program> asked = Program::start({program, "version"}, nothing.get());
  if (!asked) {
    return asked.error().os_errno() == ENOENT ? "it is not on PATH" : asked.error().message();
  }
  const bool answered = TRY(asked->finish_within(kPatience, cancel));
  const ExitStatus status = TRY(asked->wait());
  TRY(cancel.check());
  if (!answered) {
    return std::string("it did not answer within two seconds");
  }
  const std::string words = asked->words();
  return status.success() ? std::string() : words.substr(words.rfind('\n') + 1);
}

/// Ends the program when the build is stopped, as a write to it may hang; until it is destroyed.
class Watch {
 public:
  Watch(Program& program, const Cancel& cancel)
      : thread_([&program, &cancel] { static_cast<void>(program.finish_within(-1ms, cancel)); }) {}
  ~Watch() { thread_.join(); }

 private:
  std::thread thread_;
};

}  // namespace

Result<std::optional<ImageLoader>> find_image_loader(const Cancel& cancel) {
  const char* variable = std::getenv("MYBUILD_LOAD_INTO");
  const std::string choice = variable == nullptr ? "" : variable;
  if (choice == "none") {
    return std::optional<ImageLoader>();
  }
  if (!choice.empty() && choice != "docker" && choice != "podman") {
    return invalid_argument("$MYBUILD_LOAD_INTO is '{}'", choice)
        .with_hint("it may be docker, podman or none");
  }
  for (const char* program : {"docker", "podman"}) {
    if (!choice.empty() && choice != program) {
      continue;
    }
    const std::string problem = TRY(try_program(program, cancel));
    if (problem.empty()) {
      return std::optional(ImageLoader{program});
    }
    if (!choice.empty()) {
      return make_error(ErrorKind::Unavailable,
                        "$MYBUILD_LOAD_INTO is {}, which cannot be used: {}", choice, problem);
    }
  }
  return std::optional<ImageLoader>();
}

Status load_image(const SavedImage& image, const ImageLoader& loader, ExportDeps& deps,
                  const solver::VertexId& vertex) {
  Pipe pipe = TRY(sys::pipe());
  Program program = TRY(Program::start({loader.program, "load"}, pipe.read_end.get()));
  pipe.read_end.reset();
  Status sent;
  {
    const Watch watch(program, deps.cancel);
    OutputFile file = OutputFile::stream(loader.program, std::move(pipe.write_end));
    OutputSpec spec;  // plain layers: both would unpack at once what we compress
    spec.compression.compression = oci::Compression::None;
    sent = write_docker_archive({image}, spec, file, deps, vertex);
    if (sent) {
      sent = std::move(file).commit();
    }
  }
  const ExitStatus status = TRY(program.wait());
  TRY(deps.cancel.check());
  if (!sent && sent.error().os_errno() != EPIPE) {
    return sent;  // what it says of half an archive is of no use
  }
  if (!status.success()) {
    const std::string words = program.words();
    return make_error(ErrorKind::ProcessFailed, "{} load failed: {}", loader.program,
                      words.empty() ? fmt::format("exit code {}", status.code) : words)
        .with_hint("the image is in the local store; MYBUILD_LOAD_INTO=none leaves " +
                   loader.program + " out");
  }
  return sent;
}

}  // namespace mybuild::exporter

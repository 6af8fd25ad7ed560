// SPDX-License-Identifier: Apache-2.0
// Plays a scripted build, to look at: progress_demo [tty|plain] [fail].
#include "cmd/mybuild/progress/progress.h"
#include "cmd/mybuild/progress/report.h"
#include "cmd/mybuild/progress/terminal.h"

#include <fmt/format.h>

#include <unistd.h>

#include <string_view>
#include <thread>

using namespace mybuild;
using namespace std::chrono_literals;

namespace {

solver::VertexId id(std::string_view name) {
  return {Digest::of(name)};
}

class Player {
 public:
  explicit Player(solver::EventSink& events) : events_(events) {}
  void start(const std::string& name) {
    events_.on_event(solver::VertexStarted{.vertex = id(name), .name = name, .time = now()});
  }
  void cached(const std::string& name) {
    events_.on_event(solver::VertexCached{.vertex = id(name), .name = name, .time = now()});
  }
  void log(const std::string& name, std::string bytes) {
    events_.on_event(solver::LogChunk{
        .vertex = id(name), .stream = 1, .bytes = std::move(bytes), .time = now()});
  }
  void item(const std::string& name, std::string item, std::uint64_t current, std::uint64_t total) {
    events_.on_event(solver::Progress{.vertex = id(name),
                                      .item = std::move(item),
                                      .current = current,
                                      .total = total,
                                      .done = current == total,
                                      .time = now()});
  }
  void done(const std::string& name, std::optional<Error> error = {}) {
    events_.on_event(
        solver::VertexDone{.vertex = id(name), .time = now(), .error = std::move(error)});
  }

 private:
  static Time now() { return SystemClock().now(); }
  solver::EventSink& events_;
};

void pull(Player& player, const std::string& name, std::uint64_t total) {
  player.start(name);
  for (std::uint64_t bytes = 0; bytes <= total; bytes += total / 40) {
    player.item(name, "sha256:8a49fdb3b6a5 layer 1", std::min(bytes, total), total);
    player.item(name, "sha256:1b930d010525 layer 2", std::min(bytes * 2, total), total);
    std::this_thread::sleep_for(60ms);
  }
  player.done(name);
}

void compile(Player& player, const std::string& name, int files) {
  player.start(name);
  for (int i = 0; i < files; ++i) {
    player.log(name, fmt::format("\x1b[32m[{:3}%]\x1b[0m Building CXX object "
                                 "src/CMakeFiles/thing.dir/source_file_{}.cc.o\n",
                                 i * 100 / files, i));
    std::this_thread::sleep_for(35ms);
  }
  player.log(name, "Linking… 漢字 🚀");
  std::this_thread::sleep_for(300ms);
  player.done(name);
}

void download(Player& player, const std::string& name) {
  player.start(name);
  for (int percent = 0; percent <= 100; percent += 2) {
    player.log(name, fmt::format("\r{:3}% [{:<50}]", percent,
                                 std::string(static_cast<std::size_t>(percent / 2), '#')));
    std::this_thread::sleep_for(70ms);
  }
  player.log(name, "\nunpacked\n");
  player.done(name);
}

}  // namespace

int main(int argc, char** argv) {
  const SystemClock clock;
  const Time started = clock.now();
  const bool plain = argc > 1 && std::string_view(argv[1]) == "plain";
  const bool fail = argc > 2;
  const auto traits = progress::terminal_traits(STDERR_FILENO);
  const progress::ReportStyle style = {.color = traits.color, .neutralise = !plain};
  progress::Progress events(plain ? progress::Mode::Plain : progress::Mode::Tty, STDERR_FILENO,
                            clock);
  Player player(events);
  player.start("[internal] load build definition from Dockerfile");
  player.done("[internal] load build definition from Dockerfile");
  player.start("[internal] load metadata for docker.io/library/debian:12");
  std::this_thread::sleep_for(1200ms);
  player.done("[internal] load metadata for docker.io/library/debian:12");
  player.cached("[base 2/4] RUN apt-get update");
  player.cached("[base 3/4] RUN apt-get install -y g++ cmake");
  std::thread first(
      [&] { pull(player, "[runtime 1/3] FROM docker.io/library/debian:12", 48'000'000); });
  std::thread second([&] {
    compile(player,
            "[build 4/5] RUN cmake --build . --target all install -- -j 8 VERBOSE=1 && strip "
            "/usr/local/bin/thing",
            90);
  });
  std::thread third(
      [&] { download(player, "[assets 2/2] RUN curl -O https://example.org/assets.tar"); });
  first.join();
  second.join();
  third.join();
  if (fail) {
    player.start("[runtime 3/3] RUN thing --self-test");
    player.log("[runtime 3/3] RUN thing --self-test",
               "thing: \x1b[1mcannot open\x1b[0m /etc/thing.conf\n");
    std::this_thread::sleep_for(400ms);
    player.done("[runtime 3/3] RUN thing --self-test",
                Error(ErrorKind::ProcessFailed,
                      "process \"/bin/sh -c thing --self-test\" did not complete successfully: "
                      "exit code: 1"));
  } else {
    player.start("exporting to image");
    std::this_thread::sleep_for(300ms);
    player.done("exporting to image");
  }
  const auto outcome = events.finish();
  std::string end;
  if (fail) {
    const Error error =
        Error(
            ErrorKind::ProcessFailed,
            "process \"/bin/sh -c thing --self-test\" did not complete successfully: exit code: 1")
            .at({.file = "Dockerfile",
                 .first_line = 21,
                 .last_line = 21,
                 .excerpt =
                     "  20 |     COPY --from=build / /\n  21 | >>> RUN thing --self-test\n"});
    end = progress::failed_steps_text(outcome.failed, style) +
          progress::error_text(error, "failed to build", style);
  } else {
    end = progress::summary_text({.took = clock.now() - started,
                                  .steps = 7,
                                  .cached = 2,
                                  .image_id = Digest::of("x").str(),
                                  .names = {"docker.io/library/thing:latest"},
                                  .files = {}},
                                 style);
  }
  return ::write(STDERR_FILENO, end.data(), end.size()) < 0 ? 1 : 0;
}

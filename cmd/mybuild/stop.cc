// SPDX-License-Identifier: Apache-2.0
// stop and kill: they differ in what is sent, and in whether the end is waited for.
#include "builder/run/names.h"
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/verbs.h"

#include <functional>

namespace mybuild::cli {

namespace {

using Action = std::function<Status(run::ContainerStore& containers, const std::string& name)>;

/// As docker: the names of those where it worked, and the others' errors.
Result<int> for_each(const StopOptions& options, const Action& action) {
  auto engine = TRY(open_engine(options.global));
  int exit_code = 0;
  for (const std::string& name : options.names) {
    if (const Status done = action(engine->containers(), name); !done) {
      exit_code = fail(done.error());
    } else {
      TRY(print_out(name + "\n"));
    }
  }
  return exit_code;
}

Result<int> stop_signal(const StopOptions& options, run::ContainerStore& containers,
                        const std::string& name) {
  if (!options.signal.empty()) {
    return run::parse_signal(options.signal);
  }
  const run::Container container = TRY(containers.find(name));
  const std::string& own = container.record.stop_signal;
  return run::parse_signal(own.empty() ? "TERM" : own);
}

int answer(const Result<int>& done) {
  return done ? *done : fail(done.error());
}

}  // namespace

int stop_verb(std::span<const std::string> args) {
  const auto reading = read_command(kStopCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const StopOptions& options = *reading.options;
  return answer(for_each(options, [&](auto& containers, const std::string& name) -> Status {
    const int signal = TRY(stop_signal(options, containers, name));
    return containers.stop(name, signal, options.grace);
  }));
}

int kill_verb(std::span<const std::string> args) {
  const auto reading = read_command(kKillCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const StopOptions& options = *reading.options;
  return answer(for_each(options, [&](auto& containers, const std::string& name) -> Status {
    const int signal = TRY(run::parse_signal(options.signal.empty() ? "KILL" : options.signal));
    return containers.signal(name, signal);
  }));
}

}  // namespace mybuild::cli

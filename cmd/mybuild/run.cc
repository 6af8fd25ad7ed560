// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/run_options.h"
#include "cmd/mybuild/progress/progress.h"
#include "cmd/mybuild/verbs.h"
#include "snapshotter/base/cancel.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

constexpr int kNotStarted = 125;  // docker's status when the fault is not the program's

/// Progress has a thread, so it is there only for an image that has to be fetched.
Result<snapshotter::ImageRow> image_of(builder::Engine& engine, const RunOptions& options,
                                       const Cancel& cancel) {
  using builder::PullPolicy;
  const std::string& name = options.request.image;
  if (options.pull != PullPolicy::Always) {
    Result<snapshotter::ImageRow> found = engine.find_image(name, options.platform);
    if (found || options.pull == PullPolicy::Never || found.error().kind() != ErrorKind::NotFound) {
      return found;
    }
  }
  const SystemClock clock;
  const auto mode = options.quiet ? progress::Mode::Quiet
                                  : progress::resolve(progress::Mode::Auto, STDERR_FILENO);
  progress::Progress events(mode, STDERR_FILENO, clock);
  Result<snapshotter::ImageRow> pulled =
      engine.provide_image(name, options.pull, options.platform, events, cancel);
  events.finish();
  return pulled;
}

Result<run::ContainerExit> start(const RunOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const Cancel cancel;
  const snapshotter::ImageRow image = TRY(image_of(*engine, options, cancel));
  return engine->run(image, options.request, cancel);
}

}  // namespace

int run_verb(std::span<const std::string> args) {
  const auto reading = read_command(kRunCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const auto ended = start(*reading.options);
  return ended ? report_exit(*ended) : fail(ended.error(), kNotStarted);
}

}  // namespace mybuild::cli

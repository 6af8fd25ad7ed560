// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/call.h"
#include "cmd/mybuild/cli/build_options.h"
#include "cmd/mybuild/cli/explain_text.h"
#include "cmd/mybuild/cli/result_files.h"
#include "cmd/mybuild/expects_network.h"
#include "cmd/mybuild/progress/progress.h"
#include "cmd/mybuild/progress/report.h"
#include "cmd/mybuild/progress/terminal.h"
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/base/sys.h"

#include <fmt/format.h>

#include <fcntl.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace mybuild::cli {

namespace {

using BuildResult = Result<builder::BuildReport>;

std::string explain_build(builder::Engine& engine, ExplainForm form) {
  const auto explanation = engine.explain("");
  if (!explanation) {
    return fmt::format("WARNING: this build cannot be explained: {}\n",
                       explanation.error().message());
  }
  return form == ExplainForm::Json ? explanation_json(*explanation)
                                   : "\n" + explanation_text(*explanation, SystemClock().now());
}

/// `explained`: what is to be said of the steps, of a failed build as well.
BuildResult build(const BuildOptions& options, solver::EventSink& events, Cancel& cancel,
                  const builder::OfferShell& offer_shell, std::string& explained) {
  builder::BuildRequest request = TRY(with_credentials(options, cancel));
  request.offer_shell = offer_shell;
  auto engine = TRY(open_engine(
      options.global,
      {.jobs = request.jobs, .expects_network = expects_network(request), .expects_build = true}));
  BuildResult result = engine->build(request, events, cancel);
  if (options.explain != ExplainForm::None) {
    explained = explain_build(*engine, options.explain);
  }
  return result;
}

/// A file from an earlier build must not be taken for this one's.
void remove_stale(const std::string& iid_file) {
  if (!iid_file.empty()) {
    (void)sys::unlink_at(AT_FDCWD, iid_file);
  }
}

bool writes_to_stdout(const BuildOptions& options) {
  const auto& outputs = options.request.outputs;
  return std::any_of(outputs.begin(), outputs.end(),
                     [](auto& output) { return output.dest == "-"; });
}

Status hand_over(const BuildOptions& options, const builder::BuildReport& report) {
  if (!options.iid_file.empty()) {
    TRY(write_iid_file(options.iid_file, report));
  }
  if (!options.metadata_file.empty()) {
    TRY(write_metadata_file(options.metadata_file, report));
  }
  const std::string id = image_id(report);
  if (options.quiet && !id.empty() && !writes_to_stdout(options)) {
    TRY(print_out(id + "\n"));
  }
  return {};
}

progress::Summary summary_of(const BuildOptions& options, const builder::BuildReport& report,
                             std::chrono::nanoseconds took) {
  progress::Summary summary{.took = took,
                            .steps = report.vertices,
                            .cached = report.cached,
                            .image_id = image_id(report),
                            .names = image_names(report),
                            .files = {}};
  for (const auto& output : options.request.outputs) {
    if (!output.dest.empty() && output.dest != "-") {
      summary.files.push_back(output.dest);
    }
  }
  return summary;
}

/// What comes last of a build that shows its steps: once, before a shell if there is one.
class Ending {
 public:
  Ending(progress::Progress& events, progress::Mode mode, progress::ReportStyle style, bool debug)
      : events_(events), mode_(mode), style_(style), debug_(debug) {}

  void show_warnings() {
    if (std::exchange(ended_, true)) {
      return;
    }
    outcome_ = events_.finish();
    if (mode_ != progress::Mode::Quiet) {
      print_err(progress::warnings_text(outcome_.warnings, debug_, style_));
    }
  }

  void show_failure(const Error& failure) {
    if (!std::exchange(failed_, true)) {
      show_warnings();
      print_err(progress::failed_steps_text(outcome_.failed, style_) +
                progress::error_text(failure, "failed to build", style_));
    }
  }

  void offer_shell(const Error& failure, const std::function<Status()>& shell) {
    show_failure(failure);
    print_err("\nA shell in the files of the failed step; what changes there is not kept.\n");
    if (const Status ran = shell(); !ran) {
      print_err(progress::error_text(ran.error(), "", style_));
    }
  }

 private:
  progress::Progress& events_;
  const progress::Mode mode_;
  const progress::ReportStyle style_;
  const bool debug_;
  bool ended_ = false;
  bool failed_ = false;
  progress::Outcome outcome_;
};

}  // namespace

int build_verb(std::span<const std::string> args) {
  const auto reading = read_command(kBuildCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const BuildOptions& options = *reading.options;
  if (options.call.call != builder::Call::Build) {
    return answer_verb(options);
  }
  auto gate = SignalGate::open();  // before the first thread
  if (!gate) {
    return fail(gate.error());
  }
  const SystemClock clock;
  const Time started = clock.now();
  const auto mode =
      options.quiet ? progress::Mode::Quiet : progress::resolve(options.progress, STDERR_FILENO);
  const auto terminal = progress::terminal_traits(STDERR_FILENO);
  const progress::ReportStyle style = {
      .color = terminal.color, .neutralise = terminal.is_terminal && mode != progress::Mode::Plain};

  remove_stale(options.iid_file);
  progress::Progress events(mode, STDERR_FILENO, clock);
  Ending ending(events, mode, style, options.global.debug);
  BuildResult result = internal_error("the build did not run");
  std::string explained;
  const Status ran = run_guarded(*gate, [&](Cancel& cancel) -> Status {
    const auto offer_shell = [&](const Error& failure, const std::function<Status()>& shell) {
      ending.offer_shell(failure, shell);
    };
    events.begin();  // no thread starts while a module is being opened (Engine::open)
    result = build(options, events, cancel, offer_shell, explained);
    return {};
  });
  if (!ran) {
    result = ran.error();
  }
  if (result) {
    if (auto done = hand_over(options, *result); !done) {
      result = std::move(done).error();
    }
  }

  ending.show_warnings();
  print_err(explained);
  if (!result) {
    ending.show_failure(result.error());
    return gate->first_signal() ? 128 + *gate->first_signal() : 1;
  }
  if (mode == progress::Mode::Tty) {
    print_err(progress::summary_text(summary_of(options, *result, clock.now() - started), style));
  }
  return 0;
}

}  // namespace mybuild::cli

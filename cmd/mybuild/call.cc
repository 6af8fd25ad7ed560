// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/call.h"

#include "cmd/mybuild/cli/signals.h"
#include "cmd/mybuild/progress/progress.h"
#include "cmd/mybuild/progress/report.h"
#include "cmd/mybuild/progress/terminal.h"
#include "cmd/mybuild/verbs.h"
#include "cmd/mybuild/work.h"

#include <fmt/format.h>

namespace mybuild::cli {

namespace {

using frontend::checks::CheckReport;

Result<builder::CallAnswer> ask(const BuildOptions& options, SignalGate& gate,
                                progress::Progress& events) {
  const builder::EngineOptions engine{
      .root = options.global.root.empty() ? builder::default_root() : options.global.root,
      .helper = {},
      .jobs = 0,
      .insecure_registries = options.global.insecure_registries};
  Result<builder::CallAnswer> answer = internal_error("nothing was asked");
  TRY(run_guarded(gate, [&](Cancel& cancel) -> Status {
    const builder::BuildRequest request = TRY(with_credentials(options, cancel));
    answer = builder::answer_call(options.call.call, request, engine, events, cancel);
    return {};
  }));
  return answer;
}

std::string unknown_text(const CheckReport& report) {
  std::string out;
  for (const std::string& image : report.unknown) {
    out += fmt::format("{} cannot be reached: the steps of its stages were not checked\n", image);
  }
  return out;
}

/// What a build would fail with is an error here too, but the findings come first.
int status_of(const builder::CallAnswer& answer, const CallOption& call,
              progress::ReportStyle style) {
  const auto* report = std::get_if<CheckReport>(&answer);
  if (report == nullptr) {
    return 0;
  }
  print_err(unknown_text(*report));
  if (report->error) {
    print_err("\n" + progress::error_text(*report->error, "", style));
  }
  return report->failed() && !call.ignore_status ? 1 : 0;
}

}  // namespace

int answer_verb(const BuildOptions& options) {
  auto gate = SignalGate::open();  // before the first thread
  if (!gate) {
    return fail(gate.error());
  }
  const SystemClock clock;
  const auto mode =
      options.quiet ? progress::Mode::Quiet : progress::resolve(options.progress, STDERR_FILENO);
  const auto terminal = progress::terminal_traits(STDERR_FILENO);
  const progress::ReportStyle style = {.color = terminal.color, .neutralise = terminal.is_terminal};
  progress::Progress events(mode, STDERR_FILENO, clock);
  const Result<builder::CallAnswer> answer = ask(options, *gate, events);
  events.finish();
  if (!answer) {
    print_err(progress::error_text(answer.error(), "", style));
    return gate->first_signal() ? 128 + *gate->first_signal() : 1;
  }
  if (auto printed = print_out(print_answer(*answer, options.call.format)); !printed) {
    return fail(printed.error());
  }
  return status_of(*answer, options.call, style);
}

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/work.h"

#include "cmd/mybuild/progress/progress.h"
#include "cmd/mybuild/progress/report.h"
#include "cmd/mybuild/progress/terminal.h"
#include "cmd/mybuild/verbs.h"

#include <unistd.h>

#include <cstring>
#include <exception>

namespace mybuild::cli {

namespace {

/// Sandboxes end with us.
void on_signal(Cancel& cancel, int signal, int count) {
  if (count > 1) {
    ::_exit(128 + signal);
  }
  cancel.request(make_error(ErrorKind::Cancelled, "stopped by SIG{}", ::sigabbrev_np(signal)));
}

}  // namespace

Status run_guarded(SignalGate& gate, const std::function<Status(Cancel&)>& work) {
  Cancel cancel;
  Status result = internal_error("the work did not run");
  TRY(gate.run(
      [&] {
        try {
          result = work(cancel);
        } catch (const std::exception& bug) {
          result = internal_error("{}", bug.what());
        }
      },
      [&](int signal, int count) { on_signal(cancel, signal, count); }));
  return result;
}

Result<builder::BuildRequest> with_credentials(const BuildOptions& options, const Cancel& cancel) {
  builder::BuildRequest request = options.request;
  request.secrets = TRY(secrets::open_secrets(options.secrets));
  request.agents = TRY(secrets::open_agents(options.ssh, cancel));
  return request;
}

int run_transfer(const TransferOptions& options, const EngineWork& work) {
  auto gate = SignalGate::open();  // before the first thread
  if (!gate) {
    return fail(gate.error());
  }
  const SystemClock clock;
  const auto mode =
      options.quiet ? progress::Mode::Quiet : progress::resolve(options.progress, STDERR_FILENO);
  const progress::ReportStyle style = {.color = progress::terminal_traits(STDERR_FILENO).color,
                                       .neutralise = true};
  progress::Progress events(mode, STDERR_FILENO, clock);
  std::string text;
  const Status result = run_guarded(*gate, [&](Cancel& cancel) -> Status {
    auto engine = TRY(open_engine(options.global));
    text = TRY(work(*engine, events, cancel));
    return {};
  });
  events.finish();
  if (result) {
    const Status printed = text.empty() ? Status() : print_out(text);
    return printed ? 0 : fail(printed.error());
  }
  print_err(progress::error_text(result.error(), "", style));
  return gate->first_signal() ? 128 + *gate->first_signal() : 1;
}

}  // namespace mybuild::cli

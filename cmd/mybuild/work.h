// SPDX-License-Identifier: Apache-2.0
// Long work of a verb: on a thread of its own, stopped by the first signal, shown while it runs.
// Main thread only.
#pragma once

#include "builder/engine.h"
#include "cmd/mybuild/cli/build_options.h"
#include "cmd/mybuild/cli/signals.h"
#include "cmd/mybuild/cli/transfer_options.h"
#include "snapshotter/base/cancel.h"

#include <functional>
#include <string>

namespace mybuild::cli {

/// Runs `work`; the first signal asks it to stop, the second one does not wait for it. What escapes
/// is a bug, and comes back as an error, so that the terminal is put in order.
Status run_guarded(SignalGate& gate, const std::function<Status(Cancel&)>& work);

/// The request with its secrets and agents, which are looked at now.
Result<builder::BuildRequest> with_credentials(const BuildOptions& options, const Cancel& cancel);

/// Gives what stdout is to say.
using EngineWork =
    std::function<Result<std::string>(builder::Engine&, solver::EventSink&, Cancel&)>;
/// Opens the engine and does `work` with its progress on stderr, then prints what it gave; returns
/// the exit status, errors are printed.
int run_transfer(const TransferOptions& options, const EngineWork& work);

}  // namespace mybuild::cli

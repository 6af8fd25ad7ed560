// SPDX-License-Identifier: Apache-2.0
// What is done with the files of a step that failed (--on-error, --export-failed): kept as an
// image, exported in the place of the result, looked at in a shell. Inside builder.
// Thread-compatible.
#pragma once

#include "builder/ops/deps.h"
#include "builder/services.h"
#include "frontend/frontend.h"
#include "solver/scheduler.h"

namespace mybuild::builder {

bool wants_evidence(const BuildRequest& request);

/// A build whose solve() failed.
struct FailedBuild {
  const BuildRequest& request;
  const std::vector<exporter::OutputSpec>& outputs;
  const frontend::FrontendOutput& lowered;
  const solver::SolveResult& solved;  // with a failure
  const ops::OpDeps& op_deps;
};

/// Does what the request says, and gives the failure back, with what became of the files in its
/// hint. `deps`: whose cancel is the user's.
Error handle_failure(const FailedBuild& build, exporter::ExportDeps deps);

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
// What is done with the files of a step that failed (--on-error, --export-failed): kept as an
// image, exported in the place of the result, looked at in a shell. Inside builder.
// Thread-compatible but for the sinks.
#pragma once

#include "builder/ops/deps.h"
#include "builder/services.h"
#include "frontend/frontend.h"
#include "solver/scheduler.h"

#include <mutex>
#include <optional>
#include <thread>

namespace mybuild::builder {

bool wants_evidence(const BuildRequest& request);

/// solve() asks its own stop when a step fails; what comes afterwards must hear of the user's only.
/// So the steps get a Cancel that hears of both.
class LinkedCancel {
 public:
  explicit LinkedCancel(const Cancel& outer);
  LinkedCancel(const LinkedCancel&) = delete;
  LinkedCancel& operator=(const LinkedCancel&) = delete;
  ~LinkedCancel();
  Cancel& inner() { return inner_; }

 private:
  Cancel inner_;
  Fd end_;
  std::thread thread_;
};

/// Remembers which vertex failed first, and passes everything on. Thread-safe.
class FailureWatch final : public solver::EventSink {
 public:
  explicit FailureWatch(solver::EventSink& events) : events_(events) {}
  void on_event(solver::Event event) override;
  std::optional<solver::VertexId> failed();

 private:
  solver::EventSink& events_;
  std::mutex mutex_;
  std::optional<solver::VertexId> failed_;
};

/// A build whose solve() failed.
struct FailedBuild {
  const BuildRequest& request;
  const std::vector<exporter::OutputSpec>& outputs;
  const frontend::FrontendOutput& lowered;
  const solver::SolveResult& solved;  // with a failure
  const ops::OpDeps& op_deps;
  std::optional<solver::VertexId> vertex;
};

/// Does what the request says, and gives the failure back, with what became of the files in its
/// hint. `deps`: whose cancel is the user's.
Error handle_failure(const FailedBuild& build, exporter::ExportDeps deps);

}  // namespace mybuild::builder

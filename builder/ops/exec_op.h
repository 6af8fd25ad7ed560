// SPDX-License-Identifier: Apache-2.0
// RUN: a command in the sandbox on a writable root over the parent's layers; what it changed
// becomes a layer, also when it fails and somebody wants to look at that. Thread-safe.
#pragma once

#include "builder/ops/deps.h"
#include "solver/op.h"

#include <memory>
#include <string>

namespace mybuild::ops {

/// Op::definition() of a command: the op, the platform and how it is isolated.
std::string exec_definition(const solver::Vertex& vertex);

std::unique_ptr<solver::Op> make_exec_op(const solver::Vertex& vertex, const OpDeps& deps);

/// Who reads the command in the step's shell form; /bin/sh when it has none.
std::string shell_of(const solver::ExecOp& op);
/// That shell on `files`, in the environment and with the mounts of the RUN `vertex`; other steps
/// get a plain one. `stdio`: a terminal. What it changes is dropped.
Result<sandbox::SandboxExit> run_shell(const solver::Vertex& vertex,
                                       const std::vector<solver::ResultPtr>& inputs,
                                       const solver::ResultPtr& files, const OpDeps& deps,
                                       sandbox::Stdio stdio, int signals, const Cancel& cancel);

}  // namespace mybuild::ops

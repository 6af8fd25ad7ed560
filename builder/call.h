// SPDX-License-Identifier: Apache-2.0
// --call: questions about a Dockerfile that need no build. The store is opened only when a base
// image's config or a context from elsewhere is asked for; an image counts as out of reach where it
// cannot be. Thread-safe (no
// state).
#pragma once

#include "builder/engine.h"
#include "builder/request.h"
#include "frontend/checks/report.h"

#include <variant>

namespace mybuild::builder {

enum class Call { Build, Check, Outline, Targets };

using CallAnswer = std::variant<frontend::checks::CheckReport, frontend::checks::Outline,
                                frontend::checks::TargetList>;

/// Call::Build is none of these. What a check finds wrong is part of its answer, not an error.
Result<CallAnswer> answer_call(Call call, const BuildRequest& request, const EngineOptions& options,
                               solver::EventSink& events, Cancel& cancel);

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
// What a build reads before anything is lowered: the Dockerfile, ignore files, and what
// --build-context values mean. Thread-safe (no state).
#pragma once

#include "builder/ops/deps.h"
#include "builder/request.h"
#include "frontend/frontend.h"

#include <map>
#include <string>

namespace mybuild::builder {

struct BuildInputs {
  std::string file_name;  // of the Dockerfile, for messages
  std::string text;
  std::map<std::string, frontend::NamedContext> contexts;
  std::map<std::string, ops::LocalDirectory> directories;  // "context" and the local named ones
};

/// Dockerfile: the given path, else Dockerfile, else dockerfile in the context. Ignore file:
/// <Dockerfile>.dockerignore beside it, else .dockerignore at the root of the context.
Result<BuildInputs> read_build_inputs(const BuildRequest& request);

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
// StepNamer: "[build 2/5] COPY . ." as BuildKit numbers and prints the steps of one stage.
// Thread-compatible.
#pragma once

#include "frontend/dockerfile/env_list.h"
#include "snapshotter/oci/platform.h"

#include <optional>
#include <string>
#include <string_view>

namespace mybuild::frontend {

class StepNamer {
 public:
  /// `stage` is "" when there is only one. `total` 0: names get no prefix. `platform` is set only
  /// for builds for several.
  StepNamer(std::string stage, int total, std::optional<oci::Platform> platform)
      : stage_(std::move(stage)), total_(total), platform_(std::move(platform)) {}

  /// Counts one step. `env` says what the step builds for, if it differs from where it runs.
  std::string next(std::string_view text, const EnvList* env, bool on_build);

 private:
  std::string stage_;
  int total_;
  int index_ = 0;
  std::optional<oci::Platform> platform_;
};

/// "run x" with an upper-case verb.
std::string with_upper_verb(std::string_view text);

}  // namespace mybuild::frontend

// SPDX-License-Identifier: Apache-2.0
// The passes over a Dockerfile that building it and asking about it share. In frontend.cc.
// Thread-compatible.
#pragma once

#include "frontend/checks/linter.h"
#include "frontend/dockerfile/instructions.h"
#include "frontend/dockerfile/stages.h"
#include "frontend/frontend.h"

#include <memory>
#include <vector>

namespace mybuild::frontend {

/// A file that has been read. Stays valid when it is moved; the input must outlive it.
struct Reading {
  std::unique_ptr<const SourceMap> source;
  Script script;
};

/// Lexer to typed instructions. Gives the linter its options and lets the rules see the file.
Result<Reading> read_dockerfile(const FrontendInput& input, checks::Linter& linter);
/// One plan per platform; only for a build is there more than one. Rules speak of the first one to
/// `linter`, of the others to `silent`. `times` as for StagePlan::make.
Result<std::vector<StagePlan>> make_plans(const FrontendInput& input, const Reading& reading,
                                          checks::Linter& linter, checks::Linter& silent,
                                          MetaResolver* times);
/// Gets the configs of all base images. Rounds go on as long as triggers of base images name
/// further images.
Status resolve_all(std::vector<StagePlan>& plans, MetaResolver& resolver);

}  // namespace mybuild::frontend

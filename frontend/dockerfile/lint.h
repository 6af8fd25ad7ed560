// SPDX-License-Identifier: Apache-2.0
// The rules that look at a Dockerfile as it is written: single instructions, names of stages, the
// case of verbs, what FROM says. Pure; thread-compatible.
#pragma once

#include "frontend/checks/linter.h"
#include "frontend/dockerfile/ast.h"
#include "frontend/dockerfile/expand.h"
#include "frontend/dockerfile/instructions.h"

#include <string>
#include <string_view>
#include <vector>

namespace mybuild::frontend {

checks::Place place_of(const Node& node);
checks::Place place_of(const Step& step);
/// The verb as written.
std::string_view verb_of(const Step& step);
/// What a comment above says of `name`: "name is …" gives "is …", "" when none does.
std::string description_of(const std::vector<std::string>& comments, std::string_view name);

/// Before it is known whether the instruction is a right one.
void lint_instruction(const Node& node, checks::Linter& linter);
/// InvalidDefinitionDescription, of a FROM or an ARG.
void lint_description(const Step& step, checks::Linter& linter);
void lint_continuations(const Document& document, checks::Linter& linter);
/// Rules about a file whose instructions are right, each for itself.
void lint_script(const Document& document, const Script& script, checks::Linter& linter);

/// Variables of a FROM that no global ARG declares. `declared` are all names there are, sorted.
void lint_from_variables(const Step& from, const Expanded& word,
                         const std::vector<std::string>& declared, checks::Linter& linter);
/// The value of --platform, and what it came to.
void lint_from_platform(const Step& from, const Expanded& word, const EnvList& globals,
                        checks::Linter& linter);
/// FROM with nothing but the defaults of the global ARGs; `globals` are those defaults.
void lint_default_bases(const Script& script, const EnvList& globals, checks::Linter& linter);

}  // namespace mybuild::frontend

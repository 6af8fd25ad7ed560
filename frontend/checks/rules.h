// SPDX-License-Identifier: Apache-2.0
// The rules as data. Names, descriptions and addresses are BuildKit's, because tools read them;
// rules that BuildKit has not got are `own`. When a rule strikes is decided in
// frontend/dockerfile (lint, inspector), where the things are that it looks at. Thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mybuild::frontend::checks {

enum class Rule {
  StageNameCasing,
  FromAsCasing,
  NoEmptyContinuation,
  ConsistentInstructionCasing,
  DuplicateStageName,
  ReservedStageName,
  JsonArgsRecommended,
  MaintainerDeprecated,
  UndefinedArgInFrom,
  WorkdirRelativePath,
  UndefinedVar,
  MultipleInstructionsDisallowed,
  LegacyKeyValueFormat,
  InvalidBaseImagePlatform,
  RedundantTargetPlatform,
  SecretsUsedInArgOrEnv,
  InvalidDefaultArgInFrom,
  FromPlatformFlagConstDisallowed,
  CopyIgnoredFile,
  InvalidDefinitionDescription,
  ExposeProtoCasing,
  ExposeInvalidFormat,
  ArgOverridesEnv,
  CacheOwnerDiffers,
  ChownNameUnknown,
  ExcludeNotExpanded,
  LinkLostByChmod,
  SourcesWithoutSlash,
};

struct RuleInfo {
  Rule rule;
  std::string_view name;
  std::string_view description;
  std::string_view slug;      // the end of its address; "" = it has none
  bool experimental = false;  // on by "experimental=" only
  bool own = false;           // never makes a build or a check fail
};

const RuleInfo& info(Rule rule);
std::span<const RuleInfo> all_rules();
/// Where the rule is explained; "" = nowhere.
std::string url(const RuleInfo& rule);

}  // namespace mybuild::frontend::checks

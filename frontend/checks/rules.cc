// SPDX-License-Identifier: Apache-2.0
#include "frontend/checks/rules.h"

#include <algorithm>
#include <array>

namespace mybuild::frontend::checks {

namespace {

constexpr std::string_view kAddress = "https://docs.docker.com/go/dockerfile/rule/";

constexpr RuleInfo own(Rule rule, std::string_view name, std::string_view description) {
  return {.rule = rule, .name = name, .description = description, .slug = {}, .own = true};
}

// In the order of the enumerators.
constexpr std::array kRules{
    RuleInfo{Rule::StageNameCasing, "StageNameCasing", "Stage names should be lowercase",
             "stage-name-casing"},
    RuleInfo{Rule::FromAsCasing, "FromAsCasing",
             "The 'as' keyword should match the case of the 'from' keyword", "from-as-casing"},
    RuleInfo{Rule::NoEmptyContinuation, "NoEmptyContinuation",
             "Empty continuation lines will become errors in a future release",
             "no-empty-continuation"},
    RuleInfo{Rule::ConsistentInstructionCasing, "ConsistentInstructionCasing",
             "All commands within the Dockerfile should use the same casing (either upper or "
             "lower)",
             "consistent-instruction-casing"},
    RuleInfo{Rule::DuplicateStageName, "DuplicateStageName", "Stage names should be unique",
             "duplicate-stage-name"},
    RuleInfo{Rule::ReservedStageName, "ReservedStageName",
             "Reserved words should not be used as stage names", "reserved-stage-name"},
    RuleInfo{Rule::JsonArgsRecommended, "JSONArgsRecommended",
             "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related "
             "to OS signals",
             "json-args-recommended"},
    RuleInfo{Rule::MaintainerDeprecated, "MaintainerDeprecated",
             "The MAINTAINER instruction is deprecated, use a label instead to define an image "
             "author",
             "maintainer-deprecated"},
    RuleInfo{Rule::UndefinedArgInFrom, "UndefinedArgInFrom", "FROM command must use declared ARGs",
             "undefined-arg-in-from"},
    RuleInfo{Rule::WorkdirRelativePath, "WorkdirRelativePath",
             "Relative workdir without an absolute workdir declared within the build can have "
             "unexpected results if the base image changes",
             "workdir-relative-path"},
    RuleInfo{Rule::UndefinedVar, "UndefinedVar", "Variables should be defined before their use",
             "undefined-var"},
    RuleInfo{Rule::MultipleInstructionsDisallowed, "MultipleInstructionsDisallowed",
             "Multiple instructions of the same type should not be used in the same stage",
             "multiple-instructions-disallowed"},
    RuleInfo{Rule::LegacyKeyValueFormat, "LegacyKeyValueFormat",
             "Legacy key/value format with whitespace separator should not be used",
             "legacy-key-value-format"},
    RuleInfo{Rule::InvalidBaseImagePlatform, "InvalidBaseImagePlatform",
             "Base image platform does not match expected target platform", ""},
    RuleInfo{Rule::RedundantTargetPlatform, "RedundantTargetPlatform",
             "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the "
             "default behavior",
             "redundant-target-platform"},
    RuleInfo{Rule::SecretsUsedInArgOrEnv, "SecretsUsedInArgOrEnv",
             "Sensitive data should not be used in the ARG or ENV commands",
             "secrets-used-in-arg-or-env"},
    RuleInfo{Rule::InvalidDefaultArgInFrom, "InvalidDefaultArgInFrom",
             "Default value for global ARG results in an empty or invalid base image name",
             "invalid-default-arg-in-from"},
    RuleInfo{Rule::FromPlatformFlagConstDisallowed, "FromPlatformFlagConstDisallowed",
             "FROM --platform flag should not use a constant value",
             "from-platform-flag-const-disallowed"},
    RuleInfo{Rule::CopyIgnoredFile, "CopyIgnoredFile",
             "Attempting to Copy file that is excluded by .dockerignore", "copy-ignored-file"},
    RuleInfo{.rule = Rule::InvalidDefinitionDescription,
             .name = "InvalidDefinitionDescription",
             .description =
                 "Comment for build stage or argument should follow the format: `# <arg/stage "
                 "name> <description>`. If this is not intended to be a description comment, add "
                 "an empty line or comment between the instruction and the comment.",
             .slug = "invalid-definition-description",
             .experimental = true},
    RuleInfo{Rule::ExposeProtoCasing, "ExposeProtoCasing",
             "Protocol in EXPOSE instruction should be lowercase", "expose-proto-casing"},
    RuleInfo{Rule::ExposeInvalidFormat, "ExposeInvalidFormat",
             "IP address and host-port mapping should not be used in EXPOSE instruction. This will "
             "become an error in a future release",
             "expose-invalid-format"},
    own(Rule::ArgOverridesEnv, "ArgOverridesEnv",
        "An ARG that follows an ENV of the same name wins in later steps, but not in the image"),
    own(Rule::CacheOwnerDiffers, "CacheOwnerDiffers",
        "Cache mounts with one id but another owner or mode do not share their files"),
    own(Rule::ChownNameUnknown, "ChownNameUnknown",
        "A --chown name that the stage has no passwd entry for gives the files to root"),
    own(Rule::ExcludeNotExpanded, "ExcludeNotExpanded", "--exclude does not expand variables"),
    own(Rule::LinkLostByChmod, "LinkLostByChmod", "--chmod turns --link off"),
    own(Rule::SourcesWithoutSlash, "SourcesWithoutSlash",
        "Several sources overwrite one another if the destination is neither an existing directory "
        "nor ends in a slash"),
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (static_cast<std::size_t>(kRules[i].rule) != i) {
      return false;
    }
  }
  return true;
}
static_assert(in_order());

}  // namespace

const RuleInfo& info(Rule rule) {
  return kRules[static_cast<std::size_t>(rule)];
}

std::span<const RuleInfo> all_rules() {
  return kRules;
}

std::string url(const RuleInfo& rule) {
  return rule.slug.empty() ? std::string() : std::string(kAddress) + std::string(rule.slug) + "/";
}

}  // namespace mybuild::frontend::checks

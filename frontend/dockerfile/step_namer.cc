// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/step_namer.h"

#include "frontend/dockerfile/characters.h"

#include <fmt/format.h>

namespace mybuild::frontend {

namespace {

std::string value_or(const EnvList& env, std::string_view name, const std::string& fallback) {
  const std::string* value = env.find(name);
  return value == nullptr || value->empty() ? fallback : *value;
}

/// What TARGETPLATFORM, else TARGETOS and TARGETARCH say, where the stage has declared them.
oci::Platform target_of(const EnvList& env, const oci::Platform& fallback) {
  if (const std::string* text = env.find("TARGETPLATFORM")) {
    if (const auto parsed = oci::parse_platform(*text)) {
      return *parsed;
    }
  }
  oci::Platform out = fallback;
  out.os = value_or(env, "TARGETOS", fallback.os);
  out.architecture = value_or(env, "TARGETARCH", fallback.architecture);
  out.variant = value_or(env, "TARGETVARIANT", {});
  return out;
}

/// "->arm64" where a step runs on one platform for another.
std::string cross_suffix(const oci::Platform& runs_on, const EnvList* env) {
  if (env == nullptr) {
    return {};
  }
  const oci::Platform target = target_of(*env, runs_on);
  if (target.os != runs_on.os) {
    return "->" + oci::to_string(target);
  }
  if (target.architecture == runs_on.architecture) {
    return {};
  }
  return "->" + target.architecture + (target.variant.empty() ? "" : "/" + target.variant);
}

}  // namespace

std::string StepNamer::next(std::string_view text, const EnvList* env, bool on_build) {
  if (total_ == 0) {
    return std::string(text);
  }
  std::string prefix = "[";
  if (platform_) {
    prefix += oci::to_string(*platform_) + cross_suffix(*platform_, env) + " ";
  }
  if (!stage_.empty()) {
    prefix += stage_ + " ";
  }
  const auto width = std::to_string(total_).size();
  prefix += fmt::format("{:>{}}/{}] ", ++index_, width, total_);
  return prefix + (on_build ? "ONBUILD " : "") + std::string(text);
}

std::string with_upper_verb(std::string_view text) {
  const auto blank = text.find(' ');
  return to_upper(text.substr(0, blank)) +
         (blank == std::string_view::npos ? std::string() : std::string(text.substr(blank)));
}

}  // namespace mybuild::frontend

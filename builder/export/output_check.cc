// SPDX-License-Identifier: Apache-2.0
// check_outputs(): what can be said of outputs before anything runs.
#include "builder/export/exporters.h"

#include <algorithm>

namespace mybuild::exporter {

namespace {

/// Files and cache records are no image: annotations are not for them.
bool is_image(const OutputSpec& spec) {
  return spec.type != OutputType::Local && spec.type != OutputType::Tar &&
         spec.type != OutputType::CacheOnly;
}

/// The local store keeps configs and trees, if nothing else is asked for.
bool writes_manifest(const OutputSpec& spec) {
  const bool is_stored =
      spec.type == OutputType::Image || (spec.type == OutputType::Docker && spec.dest.empty());
  return is_image(spec) && (spec.push || spec.keep_blobs || !is_stored);
}

/// The stored image stays the one that a build without a cache makes.
bool carries_inline_cache(const OutputSpec& spec) {
  return is_image(spec) && (spec.push || (spec.type != OutputType::Image && !spec.dest.empty()) ||
                            spec.type == OutputType::Registry);
}

void warn(std::string message, std::string detail, solver::EventSink& events) {
  events.on_event(
      solver::Warning{.message = std::move(message), .detail = std::move(detail), .location = {}});
}

void warn_of_annotations(const std::vector<OutputSpec>& specs, solver::EventSink& events) {
  const auto is_given = [](const OutputSpec& spec) { return !spec.annotations.empty(); };
  if (std::any_of(specs.begin(), specs.end(), is_given) &&
      std::none_of(specs.begin(), specs.end(), writes_manifest)) {
    warn("annotations are kept by no output",
         "they are part of manifests, which type=oci, type=docker,dest=… and pushes have", events);
  }
}

void warn_of_inline_cache(const std::vector<OutputSpec>& specs, solver::EventSink& events) {
  if (std::none_of(specs.begin(), specs.end(), carries_inline_cache)) {
    warn("the inline cache is in no image",
         "images of the local store do not carry it; --push, type=registry, oci and docker,dest=… "
         "do",
         events);
  }
}

void warn_of_rewriting(const OutputSpec& spec, const ExpectedOutput& expected,
                       solver::EventSink& events) {
  if (!spec.rewrite_timestamp) {
    return;
  }
  if (!spec.source_date_epoch && !expected.source_date_epoch) {
    warn("rewrite-timestamp does nothing without SOURCE_DATE_EPOCH", {}, events);
  }
  if (spec.type == OutputType::Image && spec.push) {
    warn("with rewrite-timestamp the image is pushed, and not kept in the local store",
         "its layers have other times there than the trees that the store keeps", events);
  }
}

}  // namespace

Error refuse_platforms() {
  return unsupported("a docker archive holds one platform").with_hint("use type=oci");
}

Status check_outputs(const std::vector<OutputSpec>& specs, const ExpectedOutput& expected,
                     solver::EventSink& events) {
  for (const OutputSpec& spec : specs) {
    if (spec.type == OutputType::Docker && !spec.dest.empty() && expected.multi_platform) {
      return refuse_platforms();
    }
    if (is_image(spec)) {
      TRY(check_annotations(spec.annotations, expected.platforms, expected.multi_platform));
    }
    warn_of_rewriting(spec, expected, events);
  }
  warn_of_annotations(specs, events);
  if (expected.inline_cache) {
    warn_of_inline_cache(specs, events);
  }
  return {};
}

}  // namespace mybuild::exporter

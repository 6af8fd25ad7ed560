// SPDX-License-Identifier: Apache-2.0
// `mybuild prune`, and docker's longer names of it and of what stands beside it.
#include "cmd/mybuild/cli/confirm.h"
#include "cmd/mybuild/cli/item_list.h"
#include "cmd/mybuild/cli/prune_options.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/group_verb.h"

namespace mybuild::cli {

namespace {

constexpr const char* kWarning =
    "This will remove all build cache that no image, container or running build needs.";
constexpr const char* kWarningAll =
    "This will remove all build cache that no image, container or running build needs, and the "
    "records of earlier builds: their steps run again.";

Result<int> prune(const CachePruneOptions& options) {
  if (!options.force && !confirmed(options.rule.all ? kWarningAll : kWarning)) {
    return 0;
  }
  auto engine = TRY(open_engine(options.global));
  const Time now = SystemClock().now();
  Status printed;
  std::uint64_t bytes = 0;
  bool any = false;
  const auto show = [&](const space::Item& item) {
    bytes += item.size;
    if (options.json || !printed) {
      return;
    }
    printed = print_out((any ? "" : removed_heading(options)) + removed_line(item, options, now));
    any = true;
  };
  const Result<space::Collected> collected = engine->prune(options.rule, show);
  if (options.json) {
    const space::Collected done = TRY(Result<space::Collected>(collected));
    TRY(print_out(removed_json(done.removed, done.bytes)));
    return 0;
  }
  TRY(std::move(printed));
  TRY(print_out(removed_total(bytes)));  // of what went, also when not all could go
  return collected ? Result<int>(0) : collected.error();
}

constexpr Verb kVerbs[] = {
    {"build", "Build an image from a Dockerfile", build_verb},
    {"du", "Show what the state directory is filled with", du_verb},
    {"prune", "Remove build cache", prune_verb},
};

}  // namespace

int prune_verb(std::span<const std::string> args) {
  return verb<kPruneCommand, prune>(args);
}

int builder_verb(std::span<const std::string> args) {
  return dispatch_group(
      {.name = "builder", .summary = "Build, and manage build cache", .verbs = kVerbs}, args);
}

int buildx_verb(std::span<const std::string> args) {
  return dispatch_group({.name = "buildx", .summary = "The same as builder", .verbs = kVerbs},
                        args);
}

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
// `mybuild container …`: docker's longer names of the verbs on containers, and prune.
#include "cmd/mybuild/cli/confirm.h"
#include "cmd/mybuild/cli/container_options.h"
#include "cmd/mybuild/cli/verb_table.h"
#include "cmd/mybuild/verbs.h"

namespace mybuild::cli {

namespace {

Status prune(const PruneOptions& options) {
  if (!options.force && !confirmed("This will remove all stopped containers.")) {
    return {};
  }
  auto engine = TRY(open_engine(options.global));
  run::ContainerStore& containers = engine->containers();
  std::string removed;
  std::uint64_t bytes = 0;
  for (const run::Container& container : TRY(containers.list())) {
    if (container.running()) {
      continue;
    }
    const std::uint64_t size = containers.written_bytes(container.record.id).value_or(0);
    if (containers.remove(container.record.id, {})) {  // nobody has started it meanwhile
      removed += container.record.id + "\n";
      bytes += size;
    }
  }
  return print_out(prune_text("Deleted Containers", removed, bytes));
}

int prune_verb(std::span<const std::string> args) {
  const auto reading = read_command(kContainerPruneCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Status done = prune(*reading.options);
  return done ? 0 : fail(done.error());
}

constexpr Verb kVerbs[] = {
    {"run", "Run a program in a new container", run_verb},
    {"ls", "List containers", ps_verb},
    {"list", "The same as ls", ps_verb},
    {"inspect", "Print what is known about containers, as JSON", container_inspect_verb},
    {"start", "Run a stopped container again", start_verb},
    {"stop", "Stop running containers", stop_verb},
    {"kill", "Send a signal to running containers", kill_verb},
    {"rm", "Remove containers and their files", rm_verb},
    {"prune", "Remove all stopped containers", prune_verb},
};

}  // namespace

int container_verb(std::span<const std::string> args) {
  return dispatch_group({.name = "container", .summary = "Manage containers", .verbs = kVerbs},
                        args);
}

}  // namespace mybuild::cli

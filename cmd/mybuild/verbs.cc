// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/verbs.h"

#include "cmd/mybuild/cli/command.h"
#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/progress/report.h"
#include "snapshotter/base/log.h"

#include <fmt/format.h>

namespace mybuild::cli {

Result<std::unique_ptr<builder::Engine>> open_engine(const GlobalOptions& options,
                                                     const EngineUse& use) {
  log::enable_debug(options.debug);
  return builder::Engine::open(
      {.root = options.root.empty() ? builder::default_root() : options.root,
       .helper = {},
       .jobs = use.jobs,
       .insecure_registries = options.insecure_registries,
       .warn = [](const std::string& text) { print_err(fmt::format("WARNING: {}\n", text)); },
       .expects_network = use.expects_network,
       .expects_build = use.expects_build});
}

int fail(const Error& error, int status) {
  print_err(progress::error_text(error, "", {}));
  return status;
}

std::string prune_text(std::string_view heading, const std::string& removed, std::uint64_t bytes) {
  const std::string total = fmt::format("Total reclaimed space: {}\n", human_size(bytes));
  return removed.empty() ? total : fmt::format("{}:\n{}\n{}", heading, removed, total);
}

int report_exit(const run::ContainerExit& ended) {
  if (!ended.start_error.empty()) {
    print_err(fmt::format("ERROR: {}\n", ended.start_error));
  }
  if (!ended.hint.empty()) {
    print_err(fmt::format("hint: {}\n", ended.hint));
  }
  if (!ended.warning.empty()) {
    print_err(fmt::format("WARNING: {}\n", ended.warning));
  }
  return ended.code;
}

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_filter.h"
#include "cmd/mybuild/cli/container_list.h"
#include "cmd/mybuild/cli/list_format.h"
#include "cmd/mybuild/verbs.h"
#include "snapshotter/oci/image_config.h"

namespace mybuild::cli {

namespace {

/// The layers of the images that --filter ancestor names. One that is not there has no containers.
Result<std::vector<std::vector<Digest>>> ancestors_of(builder::Engine& engine,
                                                      const PsOptions& options) {
  std::vector<std::vector<Digest>> ancestors;
  for (auto [at, end] = options.filters.equal_range("ancestor"); at != end; ++at) {
    const Result<snapshotter::ImageRow> row = engine.find_image(at->second);
    if (!row) {
      continue;
    }
    const std::string text = TRY(engine.image_config(row->config));
    ancestors.push_back(TRY(oci::parse_image_config(text)).diff_ids);
  }
  return ancestors;
}

/// Sizes cost a walk through each container, and are left out unless they are shown.
Result<std::vector<ListedContainer>> with_sizes(builder::Engine& engine,
                                                std::vector<run::Container> containers,
                                                const PsOptions& options) {
  const bool size = options.size || format_has_field(options.format, "Size");
  std::vector<ListedContainer> listed;
  for (run::Container& container : containers) {
    listed.push_back({.container = std::move(container)});
    if (size && !options.quiet) {
      listed.back().size = TRY(engine.container_size(listed.back().container));
    }
  }
  return listed;
}

Status list(const PsOptions& options) {
  auto engine = TRY(open_engine(options.global));
  const auto all = TRY(engine->containers().list());
  const auto ancestors = TRY(ancestors_of(*engine, options));
  auto some = TRY(wanted_containers(all, options, ancestors));
  const auto wanted = TRY(with_sizes(*engine, std::move(some), options));
  const auto images = TRY(engine->images());
  const std::string text = TRY(container_list_text(wanted, images, options, SystemClock().now()));
  return print_out(text);
}

}  // namespace

int ps_verb(std::span<const std::string> args) {
  const auto reading = read_command(kPsCommand, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const Status done = list(*reading.options);
  return done ? 0 : fail(done.error());
}

}  // namespace mybuild::cli

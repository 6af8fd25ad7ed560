// SPDX-License-Identifier: Apache-2.0
// inspect: of containers, images and volumes, or of one kind of them.
#include "cmd/mybuild/cli/container_inspect.h"
#include "cmd/mybuild/cli/image_list.h"
#include "cmd/mybuild/cli/inspect_options.h"
#include "cmd/mybuild/cli/list_format.h"
#include "cmd/mybuild/cli/volume_list.h"
#include "cmd/mybuild/verbs.h"

#include <nlohmann/json.hpp>

namespace mybuild::cli {

namespace {

using Object = nlohmann::ordered_json;

Result<Object> container(builder::Engine& engine, const std::string& name, bool size) {
  InspectedContainer inspected;
  inspected.container = TRY(engine.containers().find(name));
  inspected.root = engine.container_root(inspected.container);
  if (inspected.container.running()) {
    inspected.program = engine.containers().program(inspected.container.record.id);
  }
  if (size) {
    inspected.size = TRY(engine.container_size(inspected.container));
  }
  return container_json(inspected);
}

Result<Object> image(builder::Engine& engine, const std::string& name, bool) {
  const auto row = TRY(engine.find_image(name));
  const std::string config = TRY(engine.image_config(row.config));
  std::vector<std::string> names;
  for (const auto& other : TRY(engine.images())) {
    if (other.config == row.config && !other.name.empty()) {
      names.push_back(other.name);
    }
  }
  const auto digests = TRY(engine.repo_digests(row.config));
  return image_json({.row = row, .digests = digests}, names, config);
}

Result<Object> volume(builder::Engine& engine, const std::string& name, bool) {
  const run::VolumeInfo info = TRY(engine.volumes().find(name));
  return volume_json(info);
}

struct Kind {
  InspectType type;
  Result<Object> (*describe)(builder::Engine& engine, const std::string& name, bool size);
};
/// Whose a name is that several have: docker's order.
constexpr Kind kKinds[] = {{InspectType::Container, container},
                           {InspectType::Image, image},
                           {InspectType::Volume, volume}};

Result<Object> describe(builder::Engine& engine, const std::string& name,
                        const InspectOptions& options) {
  for (const Kind& kind : kKinds) {
    if (options.type != InspectType::Any && options.type != kind.type) {
      continue;
    }
    Result<Object> object = kind.describe(engine, name, options.size);
    const bool missing = !object && object.error().kind() == ErrorKind::NotFound;
    if (!missing || options.type != InspectType::Any) {
      return object;
    }
  }
  return not_found("no such object: {}", name)
      .with_hint("there is no container, no image and no volume of this name");
}

/// As docker: what was found is printed also when something else was not.
Result<int> inspect(const InspectOptions& options) {
  auto engine = TRY(open_engine(options.global));
  std::vector<Object> objects;
  int exit_code = 0;
  for (const std::string& name : options.names) {
    Result<Object> object = describe(*engine, name, options);
    if (object) {
      objects.push_back(std::move(*object));
    } else {
      exit_code = fail(object.error());
    }
  }
  const std::string text = TRY(inspect_text(objects, options.format));
  TRY(print_out(text));
  return exit_code;
}

int run_command(const Command<InspectOptions>& command, std::span<const std::string> args) {
  const auto reading = read_command(command, args);
  if (!reading.options) {
    return reading.exit_code;
  }
  const auto done = inspect(*reading.options);
  return done ? *done : fail(done.error());
}

}  // namespace

int inspect_verb(std::span<const std::string> args) {
  return run_command(kInspectCommand, args);
}
int container_inspect_verb(std::span<const std::string> args) {
  return run_command(kContainerInspectCommand, args);
}
int image_inspect_verb(std::span<const std::string> args) {
  return run_command(kImageInspectCommand, args);
}
int volume_inspect_verb(std::span<const std::string> args) {
  return run_command(kVolumeInspectCommand, args);
}

}  // namespace mybuild::cli

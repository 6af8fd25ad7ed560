// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/inspect_options.h"

#include "cmd/mybuild/cli/list_format.h"
#include "cmd/mybuild/cli/values.h"

#include <algorithm>

namespace mybuild::cli {

namespace {

constexpr Flag<InspectOptions> kFormatFlags[] = {
    {{.name = "format",
      .letter = 'f',
      .argument = "FORMAT",
      .help = "json, or a template such as '{{.Config.Cmd}}' or '{{json .Mounts}}'"},
     [](InspectOptions& options, std::string_view value) -> Status {
       options.format = value;
       return check_inspect_format(value);
     }},
};

constexpr Flag<InspectOptions> kSizeFlags[] = {
    {{.name = "size", .letter = 's', .help = "Add the sizes of containers"},
     [](InspectOptions& options, std::string_view value) -> Status {
       options.size = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<InspectOptions> kTypeFlags[] = {
    {{.name = "type", .argument = "TYPE", .help = "Look among container, image or volume only"},
     [](InspectOptions& options, std::string_view value) -> Status {
       constexpr std::pair<std::string_view, InspectType> kTypes[] = {
           {"container", InspectType::Container},
           {"image", InspectType::Image},
           {"volume", InspectType::Volume}};
       const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                        [&](const auto& type) { return type.first == value; });
       if (found == std::end(kTypes)) {
         return unsupported("there are no objects of type '{}'", value)
             .with_hint("types are container, image and volume");
       }
       options.type = found->second;
       return {};
     }},
};

constexpr Flag<InspectOptions> kPlatformFlags[] = {
    // docker inspect and docker image inspect have this.
    {{.name = "platform"}},
};

template <auto&... tables>
void add_flags(FlagSet& flags, InspectOptions& options) {
  (flags.add(tables, options), ...);
  add_global_flags(flags, options.global);
}

template <InspectType type>
Status finish(InspectOptions& options, std::vector<std::string> names) {
  if (names.empty()) {
    return invalid_argument("at least 1 name is needed");
  }
  if (type != InspectType::Any) {
    options.type = type;
  }
  options.names = std::move(names);
  return {};
}

}  // namespace

const Command<InspectOptions> kInspectCommand = {
    .text = {.name = "inspect",
             .usage = "mybuild inspect [OPTIONS] NAME|ID [NAME|ID...]",
             .summary = "Print what is known about containers, images and volumes, as JSON",
             .notes = "A name that several have is the container's, then the image's."},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<kFormatFlags, kSizeFlags, kTypeFlags, kPlatformFlags>,
    .finish = finish<InspectType::Any>,
};

const Command<InspectOptions> kContainerInspectCommand = {
    .text = {.name = "container inspect",
             .usage = "mybuild container inspect [OPTIONS] CONTAINER [CONTAINER...]",
             .summary = "Print what is known about containers, as JSON",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<kFormatFlags, kSizeFlags>,
    .finish = finish<InspectType::Container>,
};

const Command<InspectOptions> kImageInspectCommand = {
    .text = {.name = "image inspect",
             .usage = "mybuild image inspect [OPTIONS] IMAGE [IMAGE...]",
             .summary = "Print what is known about images, as JSON",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<kFormatFlags, kPlatformFlags>,
    .finish = finish<InspectType::Image>,
};

const Command<InspectOptions> kVolumeInspectCommand = {
    .text = {.name = "volume inspect",
             .usage = "mybuild volume inspect [OPTIONS] VOLUME [VOLUME...]",
             .summary = "Print what is known about volumes, as JSON",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags<kFormatFlags>,
    .finish = finish<InspectType::Volume>,
};

}  // namespace mybuild::cli

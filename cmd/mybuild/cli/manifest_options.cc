// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/manifest_options.h"

#include "cmd/mybuild/cli/values.h"

#include <algorithm>

namespace mybuild::cli {

namespace {

using Words = std::vector<std::string>;

constexpr Flag<ManifestOptions> kInsecureFlags[] = {
    {{.name = "insecure",
      .help = "Do not check the registry's certificate, and fall back to plain HTTP"},
     [](ManifestOptions& options, std::string_view value) -> Status {
       options.insecure = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<ManifestInspectOptions> kInspectFlags[] = {
    {{.name = "verbose",
      .letter = 'v',
      .help = "Name, descriptor with platform, and manifest of each image"},
     [](ManifestInspectOptions& options, std::string_view value) -> Status {
       options.question.verbose = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<ManifestCreateOptions> kCreateFlags[] = {
    {{.name = "amend", .letter = 'a', .help = "Amend an existing manifest list"},
     [](ManifestCreateOptions& options, std::string_view value) -> Status {
       options.amend = TRY(parse_bool(value));
       return {};
     }},
};

/// A part of a platform, in the characters that occur in them.
Status check_part(std::string_view value) {
  const auto may_stand = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (!std::all_of(value.begin(), value.end(), may_stand)) {
    return invalid_argument("'{}' is no part of a platform", value);
  }
  return {};
}

template <std::string manifest_list::PlatformEdit::*field>
Status set_part(ManifestAnnotateOptions& options, std::string_view value) {
  TRY(check_part(value));
  options.edit.*field = value;
  return {};
}

Status add_features(ManifestAnnotateOptions& options, std::string_view value) {
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(','), value.size());
    TRY(check_part(value.substr(0, end)));
    if (end > 0) {
      options.edit.os_features.emplace_back(value.substr(0, end));
    }
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return {};
}

using manifest_list::PlatformEdit;
constexpr Flag<ManifestAnnotateOptions> kAnnotateFlags[] = {
    {{.name = "arch", .argument = "ARCH", .help = "Set architecture"},
     set_part<&PlatformEdit::architecture>},
    {{.name = "os", .argument = "OS", .help = "Set operating system"}, set_part<&PlatformEdit::os>},
    {{.name = "os-features",
      .argument = "FEATURE",
      .help = "Add operating system features",
      .repeatable = true},
     add_features},
    {{.name = "os-version", .argument = "VERSION", .help = "Set operating system version"},
     set_part<&PlatformEdit::os_version>},
    {{.name = "variant", .argument = "VARIANT", .help = "Set architecture variant"},
     set_part<&PlatformEdit::variant>},
};

constexpr Flag<ManifestPushOptions> kPushFlags[] = {
    {{.name = "purge", .letter = 'p', .help = "Remove the local manifest list after push"},
     [](ManifestPushOptions& options, std::string_view value) -> Status {
       options.purge = TRY(parse_bool(value));
       return {};
     }},
};

/// A list is pushed under a tag.
Result<oci::Reference> list_name(const std::string& text) {
  oci::Reference name = TRY(oci::Reference::parse(text));
  if (name.digest) {
    return invalid_argument("{}: a manifest list is called by a tag, not by a digest", text);
  }
  return name;
}

/// --insecure is about the registries that the command names.
void allow(ManifestOptions& options, const oci::Reference& name) {
  if (options.insecure) {
    options.global.insecure_registries.push_back(name.domain);
  }
}

Status finish_inspect(ManifestInspectOptions& options, Words words) {
  if (words.empty() || words.size() > 2) {
    return invalid_argument("\"mybuild manifest inspect\" requires 1 or 2 arguments, not {}",
                            words.size());
  }
  if (words.size() == 2) {
    options.question.list = TRY(list_name(words.front()));
  }
  options.question.name = TRY(oci::Reference::parse(words.back()));
  options.quiet = true;
  allow(options, options.question.name);
  return {};
}

Status finish_create(ManifestCreateOptions& options, Words words) {
  if (words.size() < 2) {
    return invalid_argument("\"mybuild manifest create\" requires at least 2 arguments, not {}",
                            words.size());
  }
  options.list = TRY(list_name(words.front()));
  for (const std::string& word : std::span(words).subspan(1)) {
    oci::Reference image = TRY(oci::Reference::parse(word));
    allow(options, image);
    if (std::find(options.images.begin(), options.images.end(), image) == options.images.end()) {
      options.images.push_back(std::move(image));
    }
  }
  options.quiet = true;
  return {};
}

Status finish_annotate(ManifestAnnotateOptions& options, Words words) {
  if (words.size() != 2) {
    return invalid_argument("\"mybuild manifest annotate\" requires exactly 2 arguments, not {}",
                            words.size());
  }
  options.list = TRY(list_name(words.front()));
  options.image = TRY(oci::Reference::parse(words.back()));
  return {};
}

Status finish_push(ManifestPushOptions& options, Words words) {
  if (words.size() != 1) {
    return invalid_argument("\"mybuild manifest push\" requires exactly 1 argument, not {}",
                            words.size());
  }
  options.list = TRY(list_name(words.front()));
  allow(options, options.list);
  return {};
}

Status finish_rm(ManifestRmOptions& options, Words words) {
  if (words.empty()) {
    return invalid_argument("\"mybuild manifest rm\" requires at least 1 argument");
  }
  for (const std::string& word : words) {
    options.lists.push_back(TRY(list_name(word)));
  }
  return {};
}

}  // namespace

const Command<ManifestInspectOptions> kManifestInspectCommand = {
    .text = {.name = "manifest inspect",
             .usage = "mybuild manifest inspect [OPTIONS] [MANIFEST_LIST] MANIFEST",
             .summary = "Display an image manifest, or manifest list",
             .notes = "A list made here is shown before one of a registry; MANIFEST_LIST is\n"
                      "always one made here."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, ManifestInspectOptions& options) {
          flags.add<ManifestOptions>(kInsecureFlags, options);
          add_registry_flags(flags, options.global);
          flags.add(kInspectFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = finish_inspect,
};

const Command<ManifestCreateOptions> kManifestCreateCommand = {
    .text = {.name = "manifest create",
             .usage = "mybuild manifest create [OPTIONS] MANIFEST_LIST MANIFEST [MANIFEST...]",
             .summary = "Create a local manifest list for annotating and pushing to a registry",
             .notes = "The images are looked up in their registries now; what is pushed later is\n"
                      "what they are now."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, ManifestCreateOptions& options) {
          flags.add(kCreateFlags, options);
          flags.add<ManifestOptions>(kInsecureFlags, options);
          add_registry_flags(flags, options.global);
          add_global_flags(flags, options.global);
        },
    .finish = finish_create,
};

const Command<ManifestAnnotateOptions> kManifestAnnotateCommand = {
    .text = {.name = "manifest annotate",
             .usage = "mybuild manifest annotate [OPTIONS] MANIFEST_LIST MANIFEST",
             .summary = "Add additional information to a local image manifest",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, ManifestAnnotateOptions& options) {
          flags.add(kAnnotateFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = finish_annotate,
};

const Command<ManifestPushOptions> kManifestPushCommand = {
    .text = {.name = "manifest push",
             .usage = "mybuild manifest push [OPTIONS] MANIFEST_LIST",
             .summary = "Push a manifest list to a repository",
             .notes = "What the repository lacks of the images is brought there first, from other\n"
                      "registries too."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, ManifestPushOptions& options) {
          flags.add<ManifestOptions>(kInsecureFlags, options);
          add_registry_flags(flags, options.global);
          add_progress_flag(flags, options);
          flags.add(kPushFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = finish_push,
};

const Command<ManifestRmOptions> kManifestRmCommand = {
    .text = {.name = "manifest rm",
             .usage = "mybuild manifest rm MANIFEST_LIST [MANIFEST_LIST...]",
             .summary = "Delete one or more manifest lists from local storage",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = [](FlagSet& flags,
                    ManifestRmOptions& options) { add_global_flags(flags, options.global); },
    .finish = finish_rm,
};

}  // namespace mybuild::cli

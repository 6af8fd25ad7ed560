// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/transfer_options.h"

#include "cmd/mybuild/cli/values.h"

#include <unistd.h>

namespace mybuild::cli {

namespace {

constexpr Flag<TransferOptions> kProgressFlags[] = {
    {{.name = "progress",
      .argument = "MODE",
      .help = "How to show progress: auto, tty, plain or quiet"},
     [](TransferOptions& options, std::string_view value) -> Status {
       options.progress = TRY(parse_progress(value));
       return {};
     }},
};

constexpr Flag<TransferOptions> kQuietFlags[] = {
    {{.name = "quiet", .letter = 'q', .help = "Show no progress"},
     [](TransferOptions& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<PullOptions> kPullFlags[] = {
    {{.name = "platform",
      .argument = "OS/ARCH",
      .help = "Of an image for several platforms, take this one's (default: this machine's)"},
     [](PullOptions& options, std::string_view value) -> Status {
       options.request.platform = TRY(oci::parse_platform(value));
       return {};
     }},
    {{.name = "all-tags", .letter = 'a', .help = "Download every tag that the repository has"},
     [](PullOptions& options, std::string_view value) -> Status {
       options.all_tags = TRY(parse_bool(value));
       return {};
     }},
    // docker pull has this.
    {{.name = "disable-content-trust"}},
};

constexpr Flag<PushOptions> kPushFlags[] = {
    {{.name = "all-tags", .letter = 'a', .help = "Upload every tag that the repository has here"},
     [](PushOptions& options, std::string_view value) -> Status {
       options.all_tags = TRY(parse_bool(value));
       return {};
     }},
    // docker push has these.
    {{.name = "disable-content-trust"}},
    {{.name = "platform"}},
};

constexpr Flag<FsckOptions> kFsckFlags[] = {
    {{.name = "format", .argument = "FORMAT", .help = "text (default) or json"},
     [](FsckOptions& options, std::string_view value) -> Status {
       if (value != "text" && value != "json") {
         return invalid_argument("--format {}: is text or json here", value);
       }
       options.json = value == "json";
       return {};
     }},
    {{.name = "repair", .help = "Remove what is damaged; the next build or pull makes it again"},
     [](FsckOptions& options, std::string_view value) -> Status {
       options.repair = TRY(parse_bool(value));
       return {};
     }},
};

constexpr Flag<LoadOptions> kLoadFlags[] = {
    {{.name = "input",
      .letter = 'i',
      .argument = "FILE",
      .help = "Archive of docker save, OCI archive or OCI layout directory (default: standard "
              "input)"},
     [](LoadOptions& options, std::string_view value) -> Status {
       options.input = value;
       return {};
     }},
    // docker load has this.
    {{.name = "platform"}},
};

constexpr Flag<SaveOptions> kSaveFlags[] = {
    {{.name = "output",
      .letter = 'o',
      .argument = "FILE",
      .help = "Write to a file instead of standard output"},
     [](SaveOptions& options, std::string_view value) -> Status {
       options.output = value;
       return {};
     }},
    // docker save has this.
    {{.name = "platform"}},
};

Result<std::string> only_one(std::vector<std::string> positionals, std::string_view verb) {
  if (positionals.size() != 1) {
    return invalid_argument("\"mybuild {}\" requires exactly 1 argument, not {}", verb,
                            positionals.size());
  }
  return std::move(positionals.front());
}

Status only_repository(const oci::Reference& name) {
  return name.implied_tag
             ? Status()
             : invalid_argument("a tag cannot be used with --all-tags: {}", name.familiar())
                   .with_hint("name the repository alone");
}

Status no_arguments(const std::vector<std::string>& positionals, std::string_view verb) {
  return positionals.empty() ? Status()
                             : invalid_argument("\"mybuild {}\" takes no arguments", verb);
}

}  // namespace

std::string repository_text(oci::Reference name, bool full) {
  name.tag.clear();
  return full ? name.str() : name.familiar();
}

void add_progress_flag(FlagSet& flags, TransferOptions& options) {
  flags.add(kProgressFlags, options);
}

const Command<PullOptions> kPullCommand = {
    .text = {.name = "pull",
             .usage = "mybuild pull [OPTIONS] NAME[:TAG][@DIGEST]",
             .summary = "Download an image from its registry and unpack it",
             .notes = "`mybuild login` for registries that want to know who asks."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, PullOptions& options) {
          flags.add<TransferOptions>(kProgressFlags, options);
          flags.add<TransferOptions>(kQuietFlags, options);
          flags.add(kPullFlags, options);
          add_registry_flags(flags, options.global);
          add_global_flags(flags, options.global);
        },
    .finish = [](PullOptions& options, std::vector<std::string> positionals) -> Status {
      const std::string name = TRY(only_one(std::move(positionals), "pull"));
      options.request.name = TRY(oci::Reference::parse(name));
      return options.all_tags ? only_repository(options.request.name) : Status();
    },
};

const Command<PushOptions> kPushCommand = {
    .text = {.name = "push",
             .usage = "mybuild push [OPTIONS] NAME[:TAG]",
             .summary = "Upload an image to the registry that its name says",
             .notes = "`mybuild tag IMAGE HOST/NAME:TAG` gives an image such a name.\n"
                      "Layers that the registry has are not sent."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, PushOptions& options) {
          flags.add<TransferOptions>(kProgressFlags, options);
          flags.add<TransferOptions>(kQuietFlags, options);
          flags.add(kPushFlags, options);
          add_registry_flags(flags, options.global);
          add_global_flags(flags, options.global);
        },
    .finish = [](PushOptions& options, std::vector<std::string> positionals) -> Status {
      const std::string name = TRY(only_one(std::move(positionals), "push"));
      options.name = TRY(oci::Reference::parse(name));
      return options.all_tags ? only_repository(options.name) : Status();
    },
};

const Command<LoadOptions> kLoadCommand = {
    .text = {.name = "load",
             .usage = "mybuild load [OPTIONS]",
             .summary = "Take the images of an archive into the local store",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, LoadOptions& options) {
          flags.add(kLoadFlags, options);
          flags.add<TransferOptions>(kProgressFlags, options);
          flags.add<TransferOptions>(kQuietFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](LoadOptions& options, std::vector<std::string> positionals) -> Status {
      TRY(no_arguments(positionals, "load"));
      if (options.input == "-" && ::isatty(STDIN_FILENO) != 0) {
        return invalid_argument("will not read an archive from a terminal")
            .with_hint("name a file with -i, or redirect standard input");
      }
      return {};
    },
};

const Command<SaveOptions> kSaveCommand = {
    .text = {.name = "save",
             .usage = "mybuild save [OPTIONS] IMAGE [IMAGE...]",
             .summary = "Write images to an archive that docker, podman and OCI tools read",
             .notes = "A repository without a tag stands for all its tags."},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, SaveOptions& options) {
          flags.add(kSaveFlags, options);
          flags.add<TransferOptions>(kProgressFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](SaveOptions& options, std::vector<std::string> positionals) -> Status {
      if (positionals.empty()) {
        return invalid_argument("\"mybuild save\" requires at least 1 argument");
      }
      if (options.output == "-" && ::isatty(STDOUT_FILENO) != 0) {
        return invalid_argument("will not write an archive to a terminal")
            .with_hint("name a file with -o, or redirect standard output");
      }
      options.names = std::move(positionals);
      return {};
    },
};

const Command<TransferOptions> kCacheFlushCommand = {
    .text = {.name = "cache-flush",
             .usage = "mybuild cache-flush [OPTIONS]",
             .summary =
                 "Publish to the cache server what builds with --cache-flush=background have "
                 "left; they start it themselves",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, TransferOptions& options) {
          flags.add(kQuietFlags, options);
          add_registry_flags(flags, options.global);
          add_global_flags(flags, options.global);
        },
    .finish = [](TransferOptions&, std::vector<std::string> positionals) -> Status {
      return positionals.empty() ? Status()
                                 : invalid_argument("\"mybuild cache-flush\" takes no arguments");
    },
};

const Command<FsckOptions> kFsckCommand = {
    .text = {.name = "fsck",
             .usage = "mybuild fsck [OPTIONS]",
             .summary = "Read everything in the state directory and say what is damaged; the exit "
                        "code is 1 if something is and was not removed",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags =
        [](FlagSet& flags, FsckOptions& options) {
          flags.add(kFsckFlags, options);
          flags.add<TransferOptions>(kProgressFlags, options);
          flags.add<TransferOptions>(kQuietFlags, options);
          add_global_flags(flags, options.global);
        },
    .finish = [](FsckOptions&, std::vector<std::string> positionals) -> Status {
      return no_arguments(positionals, "fsck");
    }};

const Command<TagOptions> kTagCommand = {
    .text = {.name = "tag",
             .usage = "mybuild tag IMAGE NAME[:TAG]",
             .summary = "Give an image of the local store one more name",
             .notes = {}},
    .order = FlagSet::Order::Interspersed,
    .add_flags = [](FlagSet& flags,
                    TagOptions& options) { add_global_flags(flags, options.global); },
    .finish = [](TagOptions& options, std::vector<std::string> positionals) -> Status {
      if (positionals.size() != 2) {
        return invalid_argument("\"mybuild tag\" requires exactly 2 arguments, not {}",
                                positionals.size());
      }
      options.source = std::move(positionals[0]);
      options.name = TRY(oci::Reference::parse(positionals[1]));
      return {};
    },
};

}  // namespace mybuild::cli

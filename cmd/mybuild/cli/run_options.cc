// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/run_options.h"

#include "cmd/mybuild/cli/values.h"
#include "cmd/mybuild/cli/volume_spec.h"
#include "snapshotter/base/file.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdlib>

namespace mybuild::cli {

namespace {

using Options = RunOptions;

std::string current_directory() {
  char* path = ::getcwd(nullptr, 0);
  std::string copy = path == nullptr ? "/" : path;
  std::free(path);  // NOLINT: getcwd's allocation
  return copy;
}

Status set_env(Options& options, std::string_view value) {
  TRY(parse_key_value(value));
  options.request.env.emplace_back(value);
  return {};
}

Status set_env_file(Options& options, std::string_view value) {
  const std::string text = TRY(read_file(std::string(value)));
  auto lines = TRY(parse_env_file(text));
  // docker lets -e win over --env-file wherever it stands.
  auto& env = options.request.env;
  env.insert(env.begin(), std::make_move_iterator(lines.begin()),
             std::make_move_iterator(lines.end()));
  return {};
}

Status set_label(Options& options, std::string_view value) {
  auto label = TRY(parse_key_value(value));
  options.request.labels[label.first] = std::move(label.second);
  return {};
}

/// docker lets -l win over --label-file wherever it stands.
Status set_label_file(Options& options, std::string_view value) {
  const std::string text = TRY(read_file(std::string(value)));
  for (const std::string& line : TRY(parse_env_file(text))) {
    options.request.labels.insert(TRY(parse_key_value(line)));
  }
  return {};
}

Status set_network(Options& options, std::string_view value) {
  if (value == "host") {
    options.request.network = sandbox::Network::Host;
    return {};
  }
  if (value == "none") {
    options.request.network = sandbox::Network::None;
    return {};
  }
  return unsupported("there is no network '{}'", value).with_hint("use host or none");
}

Status set_pull(Options& options, std::string_view value) {
  using builder::PullPolicy;
  constexpr std::pair<std::string_view, PullPolicy> kPolicies[] = {{"missing", PullPolicy::Missing},
                                                                   {"always", PullPolicy::Always},
                                                                   {"never", PullPolicy::Never}};
  for (const auto& [name, policy] : kPolicies) {
    if (value == name) {
      options.pull = policy;
      return {};
    }
  }
  return invalid_argument("unknown policy '{}'", value).with_hint("use missing, always or never");
}

Status set_cidfile(Options& options, std::string_view value) {
  if (value.empty()) {
    return invalid_argument("expected a file");
  }
  options.request.id_file = value;
  return {};
}

constexpr Flag<Options> kFlags[] = {
    {{.name = "cidfile", .argument = "FILE", .help = "Write the container's ID to a new file"},
     set_cidfile},
    {{.name = "entrypoint",
      .argument = "PROGRAM",
      .help = "Run this instead of the image's ENTRYPOINT; \"\" clears it"},
     [](Options& options, std::string_view value) -> Status {
       options.request.entrypoint = std::string(value);
       return {};
     }},
    {{.name = "env",
      .letter = 'e',
      .argument = "NAME[=VALUE]",
      .help = "Set a variable; without a value it is taken from the environment",
      .repeatable = true},
     set_env},
    {{.name = "env-file",
      .argument = "FILE",
      .help = "Read variables from a file",
      .repeatable = true},
     set_env_file},
    {{.name = "hostname", .letter = 'h', .argument = "NAME", .help = "Host name inside"},
     [](Options& options, std::string_view value) -> Status {
       options.request.hostname = value;
       return {};
     }},
    {{.name = "init", .help = "Run under an init that passes on signals and reaps"},
     [](Options& options, std::string_view value) -> Status {
       options.request.init = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "interactive", .letter = 'i', .help = "Connect stdin"},
     [](Options& options, std::string_view value) -> Status {
       options.request.interactive = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "label",
      .letter = 'l',
      .argument = "KEY[=VALUE]",
      .help = "Remember this with the container",
      .repeatable = true},
     set_label},
    {{.name = "label-file",
      .argument = "FILE",
      .help = "Read labels from a file",
      .repeatable = true},
     set_label_file},
    {{.name = "name", .argument = "NAME", .help = "Name of the container"},
     [](Options& options, std::string_view value) -> Status {
       options.request.name = value;
       return {};
     }},
    {{.name = "network", .argument = "MODE", .help = "host (the default) or none"}, set_network},
    {{.name = "platform",
      .argument = "OS/ARCH",
      .help = "Of an image for several platforms, run this one's; pulled where the image that is "
              "there is another one's"},
     [](Options& options, std::string_view value) -> Status {
       options.platform = TRY(oci::parse_platform(value));
       return {};
     }},
    {{.name = "pull",
      .argument = "POLICY",
      .help = "Ask the registry for the image: missing (the default), always, never"},
     set_pull},
    {{.name = "quiet", .letter = 'q', .help = "Do not show how the image is pulled"},
     [](Options& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "rm", .help = "Remove the container and its anonymous volumes at its end"},
     [](Options& options, std::string_view value) -> Status {
       options.request.auto_remove = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "tty", .letter = 't', .help = "Give the program a terminal"},
     [](Options& options, std::string_view value) -> Status {
       options.request.terminal = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "user", .letter = 'u', .argument = "NAME|UID[:GROUP]", .help = "User to run as"},
     [](Options& options, std::string_view value) -> Status {
       options.request.user = value;
       return {};
     }},
    {{.name = "volume",
      .letter = 'v',
      .argument = "[SRC:]DST[:MODE]",
      .help = "Mount a path of the host, a volume by name, or a volume of its own; modes are ro, "
              "rw, nocopy",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.request.volumes.push_back(TRY(parse_volume(value, current_directory())));
       return {};
     }},
    {{.name = "workdir", .letter = 'w', .argument = "DIR", .help = "Directory to start in"},
     [](Options& options, std::string_view value) -> Status {
       if (!value.starts_with('/')) {
         return invalid_argument("expected an absolute path");
       }
       options.request.workdir = value;
       return {};
     }},
    // docker run has these.
    {{.name = "add-host"}},
    {{.name = "annotation"}},
    {{.name = "attach", .letter = 'a'}},
    {{.name = "blkio-weight"}},
    {{.name = "blkio-weight-device"}},
    {{.name = "cap-add"}},
    {{.name = "cap-drop"}},
    {{.name = "cgroup-parent"}},
    {{.name = "cgroupns"}},
    {{.name = "cpu-period"}},
    {{.name = "cpu-quota"}},
    {{.name = "cpu-rt-period"}},
    {{.name = "cpu-rt-runtime"}},
    {{.name = "cpu-shares", .letter = 'c'}},
    {{.name = "cpus"}},
    {{.name = "cpuset-cpus"}},
    {{.name = "cpuset-mems"}},
    {{.name = "detach", .letter = 'd'}},
    {{.name = "detach-keys"}},
    {{.name = "device"}},
    {{.name = "device-cgroup-rule"}},
    {{.name = "device-read-bps"}},
    {{.name = "device-read-iops"}},
    {{.name = "device-write-bps"}},
    {{.name = "device-write-iops"}},
    {{.name = "disable-content-trust"}},
    {{.name = "dns"}},
    {{.name = "dns-option"}},
    {{.name = "dns-search"}},
    {{.name = "domainname"}},
    {{.name = "expose"}},
    {{.name = "gpus"}},
    {{.name = "group-add"}},
    {{.name = "health-cmd"}},
    {{.name = "health-interval"}},
    {{.name = "health-retries"}},
    {{.name = "health-start-interval"}},
    {{.name = "health-start-period"}},
    {{.name = "health-timeout"}},
    {{.name = "ip"}},
    {{.name = "ip6"}},
    {{.name = "ipc"}},
    {{.name = "isolation"}},
    {{.name = "kernel-memory"}},
    {{.name = "link"}},
    {{.name = "link-local-ip"}},
    {{.name = "log-driver"}},
    {{.name = "log-opt"}},
    {{.name = "mac-address"}},
    {{.name = "memory", .letter = 'm'}},
    {{.name = "memory-reservation"}},
    {{.name = "memory-swap"}},
    {{.name = "memory-swappiness"}},
    {{.name = "mount"}},
    {{.name = "network-alias"}},
    {{.name = "no-healthcheck"}},
    {{.name = "oom-kill-disable"}},
    {{.name = "oom-score-adj"}},
    {{.name = "pid"}},
    {{.name = "pids-limit"}},
    {{.name = "privileged"}},
    {{.name = "publish", .letter = 'p'}},
    {{.name = "publish-all", .letter = 'P'}},
    {{.name = "read-only"}},
    {{.name = "restart"}},
    {{.name = "runtime"}},
    {{.name = "security-opt"}},
    {{.name = "shm-size"}},
    {{.name = "sig-proxy"}},
    {{.name = "stop-signal"}},
    {{.name = "stop-timeout"}},
    {{.name = "storage-opt"}},
    {{.name = "sysctl"}},
    {{.name = "tmpfs"}},
    {{.name = "ulimit"}},
    {{.name = "userns"}},
    {{.name = "uts"}},
    {{.name = "volume-driver"}},
    {{.name = "volumes-from"}},
};

void add_flags(FlagSet& flags, Options& options) {
  flags.add(kFlags, options);
  add_registry_flags(flags, options.global);
  add_global_flags(flags, options.global);
}

Status finish(Options& options, std::vector<std::string> positionals) {
  if (positionals.empty()) {
    return invalid_argument("\"mybuild run\" requires at least 1 argument");
  }
  options.request.image = std::move(positionals.front());
  options.request.args.assign(std::make_move_iterator(positionals.begin() + 1),
                              std::make_move_iterator(positionals.end()));
  if (options.request.terminal && options.request.interactive && ::isatty(STDIN_FILENO) == 0) {
    return invalid_argument("the input device is not a terminal").with_hint("leave out -t");
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> parse_env_file(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::string_view name = line.substr(0, line.find('='));
    if (name.empty() || name.find_first_of(" \t") != std::string_view::npos) {
      return invalid_argument("line {}: '{}' is not a variable name", number, name);
    }
    lines.emplace_back(line);
  }
  return lines;
}

const Command<RunOptions> kRunCommand = {
    .text = {.name = "run",
             .usage = "mybuild run [OPTIONS] IMAGE [COMMAND] [ARG...]",
             .summary = "Run a program in a new container; its exit code is ours",
             .notes = {}},
    .order = FlagSet::Order::FlagsFirst,
    .add_flags = add_flags,
    .finish = finish,
};

}  // namespace mybuild::cli

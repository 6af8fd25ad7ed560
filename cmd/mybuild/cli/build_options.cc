// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/build_options.h"

#include "cmd/mybuild/cli/annotations.h"
#include "cmd/mybuild/cli/cache_spec.h"
#include "cmd/mybuild/cli/credential_options.h"
#include "cmd/mybuild/cli/output_spec.h"
#include "cmd/mybuild/cli/values.h"
#include "frontend/dockerfile/go_format.h"
#include "frontend/remote/git_url.h"
#include "frontend/remote/http_url.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace mybuild::cli {

namespace {

using Options = BuildOptions;

Status set_build_arg(Options& options, std::string_view value) {
  auto [name, text] = TRY(parse_key_value(value));
  if (value.find('=') == std::string_view::npos) {
    const char* from_env = std::getenv(name.c_str());
    if (from_env == nullptr) {
      return {};
    }
    text = from_env;
  }
  options.request.build_args.insert_or_assign(std::move(name), std::move(text));
  return {};
}

Status set_label(Options& options, std::string_view value) {
  auto [name, text] = TRY(parse_key_value(value));
  options.request.labels.insert_or_assign(std::move(name), std::move(text));
  return {};
}

/// What no FROM or --from could mean would be left unused without a word.
Status check_context_name(const std::string& name) {
  const std::size_t colons = name.find("::");
  const auto reference = oci::Reference::parse(name.substr(0, colons));
  if (!reference) {
    return Error(reference.error())
        .context("invalid context name " + name)
        .with_hint("it is the name of a stage or an image, in lower case");
  }
  if (colons != std::string::npos) {
    TRY(oci::parse_platform(name.substr(colons + 2)).context("invalid context name " + name));
  }
  return {};
}

Status set_build_context(Options& options, std::string_view value) {
  auto [name, text] = TRY(parse_key_value(value));
  if (text.empty()) {
    return invalid_argument("expected name=value");
  }
  TRY(check_context_name(name));
  options.request.contexts.insert_or_assign(std::move(name), std::move(text));
  return {};
}

Status set_platforms(Options& options, std::string_view value) {
  for (const std::string& word : TRY(parse_csv(value))) {
    const auto platform = TRY(word == "local" ? Result<oci::Platform>(oci::host_platform())
                                              : oci::parse_platform(word));
    auto& list = options.request.platforms;
    if (std::find(list.begin(), list.end(), platform) == list.end()) {
      list.push_back(platform);
    }
  }
  return {};
}

Status set_step_timeout(Options& options, std::string_view value) {
  const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      TRY(frontend::parse_go_duration(value)));
  if (timeout.count() <= 0) {
    return invalid_argument("--step-timeout needs a time of at least 1ms, not \"{}\"", value);
  }
  options.request.step_timeout = timeout;
  return {};
}

Status set_no_cache_filter(Options& options, std::string_view value) {
  if (value.empty()) {  // as to docker, a filter that names no stage leaves none out
    options.request.no_cache = true;
    return {};
  }
  for (std::string& stage : TRY(parse_csv(value))) {
    options.request.no_cache_filter.push_back(std::move(stage));
  }
  return {};
}

Status set_network(Options& options, std::string_view value) {
  constexpr std::pair<std::string_view, solver::NetworkMode> kModes[] = {
      {"default", solver::NetworkMode::Default},
      {"none", solver::NetworkMode::None},
      {"host", solver::NetworkMode::Host},
  };
  for (const auto& [word, mode] : kModes) {
    if (word == value) {
      options.request.network = mode;
      // Said by the person who builds, it needs no further word.
      options.request.allowed.network_host |= mode == solver::NetworkMode::Host;
      return {};
    }
  }
  return unsupported("there is no network '{}'", value).with_hint("use default, none or host");
}

Status set_context_verify(Options& options, std::string_view value) {
  if (value != "stat" && value != "full") {
    return invalid_argument("--context-verify cannot be '{}'", value).with_hint("use stat or full");
  }
  options.request.reread_contexts = value == "full";
  return {};
}

Status set_progress(Options& options, std::string_view value) {
  options.progress = TRY(parse_progress(value));
  options.progress_word = value;
  return {};
}

Status set_explain(Options& options, std::string_view value) {
  if (value == "json") {
    options.explain = ExplainForm::Json;
    return {};
  }
  const bool on = value == "text" || TRY(parse_bool(value));
  options.explain = on ? ExplainForm::Text : ExplainForm::None;
  return {};
}

/// For attestations, which we do not make: switching them off is fine.
Status must_be_off(Options&, std::string_view value) {
  const auto on = parse_bool(value);
  if (on && !*on) {
    return {};
  }
  return unsupported("attestations are not supported yet").with_hint("false is the only value");
}

/// For what is always done.
Status must_be_on(Options&, std::string_view value) {
  const bool on = TRY(parse_bool(value));
  return on ? Status() : unsupported("false is not supported");
}

Status set_on_error(Options& options, std::string_view value) {
  using builder::OnError;
  constexpr std::pair<std::string_view, OnError> kActions[] = {
      {"discard", OnError::Discard}, {"keep", OnError::Keep}, {"shell", OnError::Shell}};
  for (const auto& [word, action] : kActions) {
    if (value == word) {
      options.request.on_error = action;
      return {};
    }
  }
  return invalid_argument("--on-error is discard, keep or shell, not '{}'", value);
}

constexpr Flag<Options> kFlags[] = {
    {{.name = "add-host",
      .argument = "HOST:IP",
      .help = "Add a line to /etc/hosts of the steps",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.request.extra_hosts.push_back(TRY(parse_add_host(value)));
       return {};
     }},
    {{.name = "allow",
      .argument = "ENTITLEMENT",
      .help = "Let steps do more: network.host (RUN --network=host), security.insecure, device "
              "(RUN --device) or device=NAME",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       return allow(value, options.request.allowed);
     }},
    {{.name = "annotation",
      .argument = "[TYPE:]KEY=VALUE",
      .help = "Annotate the image: its manifest (default), index, manifest-descriptor or "
              "index-descriptor, for one platform as manifest[OS/ARCH]",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       for (exporter::Annotation& annotation : TRY(parse_annotation(value))) {
         options.annotations.push_back(std::move(annotation));
       }
       return {};
     }},
    {{.name = "build-arg",
      .argument = "NAME[=VALUE]",
      .help = "Set a build argument; without a value it is taken from the environment",
      .repeatable = true},
     set_build_arg},
    {{.name = "build-context",
      .argument = "NAME=VALUE",
      .help =
          "Name a further context, which takes the place of a stage or an image of that name: a "
          "directory, docker-image://…, oci-layout://…, or the URL of a git repository or file; "
          "NAME::OS/ARCH is for one platform",
      .repeatable = true},
     set_build_context},
    {{.name = "cache-flush",
      .argument = "HOW",
      .help = "What to do at the end with steps that the cache server has not got yet: wait:30s "
              "(the default), background, or off, which publishes none"},
     [](Options& options, std::string_view value) -> Status {
       options.request.cache_server.flush = TRY(cache_client::parse_flush(value));
       return {};
     }},
    {{.name = "cache-from",
      .argument = "SOURCE",
      .help =
          "Find steps in a cache of another machine, too: REF or type=registry,ref=REF (a cache, "
          "or an image with one in it), type=local,src=FOLDER with tag=, digest=",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       for (remote_cache::CacheSource& source : TRY(parse_cache_from(value))) {
         options.request.cache_from.push_back(std::move(source));
       }
       return {};
     }},
    {{.name = "cache-server",
      .argument = "URL",
      .help = "Find steps in a cache server, and publish those that run here: "
              "http(s)://HOST:PORT[/NAMESPACE] or unix:/PATH[:NAMESPACE]; off for none (default "
              "$MYBUILD_CACHE_SERVER, else config.json)"},
     [](Options& options, std::string_view value) -> Status {
       if (value != "off") {
         TRY(cache_client::parse_address(value));
       }
       options.request.cache_server.url = value;
       return {};
     }},
    {{.name = "cache-to",
      .argument = "TARGET",
      .help = "Export the cache of this build: type=registry,ref=REF, type=local,dest=FOLDER with "
              "tag=, or type=inline (into the image that is exported), with mode=min|max, "
              "compression=, compression-level=, force-compression=, ignore-error=",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       for (remote_cache::CacheTarget& target : TRY(parse_cache_to(value))) {
         options.request.cache_to.push_back(std::move(target));
       }
       return {};
     }},
    {{.name = "call",
      .argument = "METHOD",
      .help = "Ask instead of building: check, outline or targets, with format=text, json, or for "
              "a check sarif or github"},
     [](Options& options, std::string_view value) -> Status {
       options.call = TRY(parse_call(value));
       return {};
     }},
    {{.name = "check", .help = "Check the Dockerfile: short for --call=check"},
     [](Options& options, std::string_view value) -> Status {
       const bool on = TRY(parse_bool(value));
       options.call.call = on ? builder::Call::Check : options.call.call;
       return {};
     }},
    {{.name = "context-verify",
      .argument = "MODE",
      .help = "How files of the context are known to be unchanged: stat (by size, times and inode; "
              "the default) or full (all are read)"},
     set_context_verify},
    {{.name = "explain",
      .help = "Say at the end, on stderr, why each step ran or did not; --explain=json as one line "
              "of JSON"},
     set_explain},
    {{.name = "export-failed",
      .help = "When a step fails, write its files to the outputs; the build fails all the same"},
     [](Options& options, std::string_view value) -> Status {
       options.request.export_failed = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "file",
      .letter = 'f',
      .argument = "FILE",
      .help = "Dockerfile: a path (default PATH/Dockerfile; inside the context, if that comes from "
              "elsewhere), a URL, or - for standard input"},
     [](Options& options, std::string_view value) -> Status {
       options.request.dockerfile = value;
       return {};
     }},
    {{.name = "force-rm", .help = "Accepted for docker's sake: steps leave nothing behind"},
     must_be_on},
    {{.name = "iidfile", .argument = "FILE", .help = "Write the image ID to a file"},
     [](Options& options, std::string_view value) -> Status {
       options.iid_file = value;
       return {};
     }},
    {{.name = "jobs", .argument = "N", .help = "Run at most N steps at once (default: no limit)"},
     [](Options& options, std::string_view value) -> Status {
       const std::int64_t jobs = TRY(parse_integer(value, 0, 100000));
       options.request.jobs = static_cast<std::size_t>(jobs);
       return {};
     }},
    {{.name = "label",
      .argument = "NAME=VALUE",
      .help = "Set a label of the image",
      .repeatable = true},
     set_label},
    {{.name = "load",
      .help = "Store the image locally beside any --output, and load it into docker, else podman, "
              "where one answers ($MYBUILD_LOAD_INTO: docker, podman or none)"},
     [](Options& options, std::string_view value) -> Status {
       options.load = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "metadata-file",
      .argument = "FILE",
      .help = "Write the build's results to a file, as JSON"},
     [](Options& options, std::string_view value) -> Status {
       options.metadata_file = value;
       return {};
     }},
    {{.name = "network",
      .argument = "MODE",
      .help = "Network of the RUN steps: default, none or host"},
     set_network},
    {{.name = "no-cache", .help = "Run every step again"},
     [](Options& options, std::string_view value) -> Status {
       options.request.no_cache = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "no-cache-filter",
      .argument = "STAGE",
      .help = "Run the steps of this stage again",
      .repeatable = true},
     set_no_cache_filter},
    {{.name = "no-early-cutoff",
      .help = "Run all that stands on a step that ran, also when it left the same files as before"},
     [](Options& options, std::string_view value) -> Status {
       options.request.early_cutoff = !TRY(parse_bool(value));
       return {};
     }},
    {{.name = "on-error",
      .argument = "ACTION",
      .help = "When a step fails: discard its files (default), keep them as an image without a "
              "name, or open a shell in them"},
     set_on_error},
    {{.name = "output",
      .letter = 'o',
      .argument = "OUTPUT",
      .help = "Where the result goes: type= image, registry, oci, docker, local, tar or cacheonly "
              "with dest=, name=, push=, compression=gzip|zstd|uncompressed, compression-level=, "
              "force-compression=, tar=, rewrite-timestamp=, source-date-epoch=, annotation.KEY=; "
              "or a directory; or - for a tar on stdout (default type=image, whose layers are "
              "compressed by the first push, or in the build if compression= is there)",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.request.outputs.push_back(TRY(parse_output(value)));
       return {};
     }},
    {{.name = "platform",
      .argument = "OS/ARCH",
      .help = "Build for this platform (comma-separated for several)",
      .repeatable = true},
     set_platforms},
    {{.name = "progress",
      .argument = "MODE",
      .help = "How to show progress: auto, tty, plain or quiet"},
     set_progress},
    {{.name = "provenance",
      .argument = "false",
      .help = "No provenance is attached; only false is taken"},
     must_be_off},
    {{.name = "pull", .help = "Ask registries for newer base images"},
     [](Options& options, std::string_view value) -> Status {
       options.request.pull = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "push",
      .help =
          "Send the image to the registry that each name says; nothing is stored locally unless "
          "-o or --load asks for it"},
     [](Options& options, std::string_view value) -> Status {
       options.push = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "quiet", .letter = 'q', .help = "Print errors and, on success, the image ID only"},
     [](Options& options, std::string_view value) -> Status {
       options.quiet = TRY(parse_bool(value));
       return {};
     }},
    {{.name = "rm", .help = "Accepted for docker's sake: steps leave nothing behind"}, must_be_on},
    {{.name = "sbom", .argument = "false", .help = "No SBOM is attached; only false is taken"},
     must_be_off},
    {{.name = "secret",
      .argument = "id=ID,src=FILE",
      .help = "Give a secret to RUN --mount=type=secret: src=FILE, or env=VARIABLE",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.secrets.push_back(TRY(parse_secret(value)));
       return {};
     }},
    {{.name = "shm-size",
      .argument = "SIZE",
      .help = "Size of /dev/shm in the steps (default 64m)"},
     [](Options& options, std::string_view value) -> Status {
       options.request.shm_size = TRY(parse_bytes(value));
       return {};
     }},
    {{.name = "ssh",
      .argument = "ID[=SOCKET|KEYS]",
      .help = "Give an agent to RUN --mount=type=ssh: default for $SSH_AUTH_SOCK, or key files",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.ssh.push_back(parse_ssh(value));
       return {};
     }},
    {{.name = "step-timeout",
      .argument = "DURATION",
      .help = "Stop a RUN step that takes longer, and fail (10m, 1h30m; default: no limit)"},
     set_step_timeout},
    {{.name = "tag",
      .letter = 't',
      .argument = "NAME[:TAG]",
      .help = "Name of the image",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.request.names.push_back(TRY(oci::Reference::parse(value)));
       return {};
     }},
    {{.name = "target", .argument = "STAGE", .help = "Build this stage instead of the last one"},
     [](Options& options, std::string_view value) -> Status {
       options.request.target = value;
       return {};
     }},
    {{.name = "ulimit",
      .argument = "NAME=SOFT[:HARD]",
      .help = "Limit of the RUN steps",
      .repeatable = true},
     [](Options& options, std::string_view value) -> Status {
       options.request.ulimits.push_back(TRY(parse_ulimit(value)));
       return {};
     }},
    // docker and buildx have these.
    {{.name = "attest"}},
    {{.name = "builder"}},
    {{.name = "cgroup-parent"}},
    {{.name = "compress"}},
    {{.name = "cpu-period"}},
    {{.name = "cpu-quota"}},
    {{.name = "cpu-shares", .letter = 'c'}},
    {{.name = "cpuset-cpus"}},
    {{.name = "cpuset-mems"}},
    {{.name = "isolation"}},
    {{.name = "memory", .letter = 'm'}},
    {{.name = "memory-swap"}},
    {{.name = "policy"}},
    {{.name = "resource"}},
    {{.name = "security-opt"}},
    {{.name = "squash"}},
};

void add_flags(FlagSet& flags, Options& options) {
  flags.add(kFlags, options);
  add_registry_flags(flags, options.global);
  add_global_flags(flags, options.global);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Status take_environment(Options& options) {
  builder::BuildRequest& request = options.request;
  if (const std::string form = environment("BUILDKIT_PROGRESS");
      options.progress_word.empty() && !options.quiet && !form.empty()) {
    TRY(set_progress(options, form).context("environment variable BUILDKIT_PROGRESS"));
  }
  if (const std::string platform = environment("DOCKER_DEFAULT_PLATFORM");
      request.platforms.empty() && !platform.empty()) {
    TRY(set_platforms(options, platform).context("environment variable DOCKER_DEFAULT_PLATFORM"));
  }
  if (std::string epoch = environment("SOURCE_DATE_EPOCH"); !epoch.empty()) {
    request.build_args.emplace("SOURCE_DATE_EPOCH", std::move(epoch));
  }
  return {};
}

/// As buildx's predecessors spelt --cache-to type=inline.
void take_inline_cache_arg(builder::BuildRequest& request) {
  const auto argument = request.build_args.find("BUILDKIT_INLINE_CACHE");
  if (argument == request.build_args.end()) {
    return;
  }
  const auto wanted = parse_bool(argument->second);
  if (wanted && *wanted) {
    request.cache_to.emplace_back().type = remote_cache::CacheTarget::Type::Inline;
  }
}

Status check_quiet(const Options& options) {
  const bool clash = options.quiet && !options.progress_word.empty() &&
                     options.progress != progress::Mode::Quiet &&
                     options.progress != progress::Mode::Auto;
  return clash ? Status(invalid_argument("--progress={} and --quiet cannot be used together",
                                         options.progress_word))
               : Status();
}

/// --push sends what goes to the local store anyway, else it is an output of its own.
void add_push(Options& options) {
  if (!options.push) {
    return;
  }
  bool pushes = false;
  for (exporter::OutputSpec& output : options.request.outputs) {
    output.push = output.push || output.type == exporter::OutputType::Image;
    pushes = pushes || output.push || output.type == exporter::OutputType::Registry;
  }
  if (!pushes) {
    options.request.outputs.emplace_back().type = exporter::OutputType::Registry;
  }
}

/// What a build that fails cannot do is said before it begins.
Status check_failure_handling(const builder::BuildRequest& request) {
  if (request.on_error == builder::OnError::Shell && ::isatty(STDIN_FILENO) == 0) {
    return invalid_argument("--on-error=shell needs a terminal on standard input")
        .with_hint("--on-error=keep makes an image of the failed step's files");
  }
  for (const exporter::OutputSpec& output : request.outputs) {
    if (request.export_failed && (output.push || output.type == exporter::OutputType::Registry)) {
      return invalid_argument("--export-failed does not push")
          .with_hint("export to type=oci, docker, local, tar or image");
    }
  }
  return {};
}

/// Who pushes must say where to.
Status check_push(const builder::BuildRequest& request) {
  for (const exporter::OutputSpec& output : request.outputs) {
    const bool pushes = output.push || output.type == exporter::OutputType::Registry;
    if (pushes && output.names.empty() && request.names.empty()) {
      return invalid_argument("a push needs a name").with_hint("name the image with -t or name=");
    }
  }
  return {};
}

bool is_stored(const exporter::OutputSpec& output) {
  return output.type == exporter::OutputType::Image;
}
/// docker's or podman's own store, which gets what ours has.
bool is_import(const exporter::OutputSpec& output) {
  return output.type == exporter::OutputType::Docker && output.dest.empty();
}

/// --load, as type=docker without dest, adds the local store to outputs that leave it out, and
/// docker's or podman's beside it.
Status add_load(Options& options) {
  auto& outputs = options.request.outputs;
  const auto import = std::find_if(outputs.begin(), outputs.end(), is_import);
  if (!options.load && import == outputs.end()) {
    return {};
  }
  exporter::OutputSpec loaded = import == outputs.end() ? exporter::OutputSpec() : *import;
  loaded.type = exporter::OutputType::Docker;
  outputs.erase(std::remove_if(outputs.begin(), outputs.end(), is_import), outputs.end());
  const auto stored = std::find_if(outputs.begin(), outputs.end(), is_stored);
  if (stored == outputs.end()) {
    outputs.push_back(loaded);
    outputs.back().type = exporter::OutputType::Image;
  } else if (stored->rewrite_timestamp) {
    return invalid_argument(
               "with rewrite-timestamp an image is not kept in the local store, so it "
               "cannot be loaded from there")
        .with_hint("write it with type=docker,dest=FILE");
  }
  outputs.push_back(std::move(loaded));
  return {};
}

Status check_outputs(const Options& options) {
  std::size_t to_stdout = 0;
  for (const auto& output : options.request.outputs) {
    TRY(check_output_target(output, ::isatty(STDOUT_FILENO) != 0));
    to_stdout += output.dest == "-" ? 1 : 0;
  }
  return to_stdout > 1 ? Status(invalid_argument("only one output can go to stdout")) : Status();
}

/// What cannot be a context at all is said before anything else happens.
Status take_context(Options& options, std::string path) {
  struct stat found {};
  const bool exists = ::stat(path.c_str(), &found) == 0;
  const bool is_directory = exists && S_ISDIR(found.st_mode);
  if (path != "-" && !is_directory) {
    const auto git = TRY(frontend::parse_git_url(path, frontend::UrlOrigin::CommandLine));
    const bool is_remote = git || frontend::is_http_url(path);
    if (!is_remote && exists) {
      return invalid_argument("path \"{}\" is not a directory", path)
          .with_hint(
              "name the Dockerfile with -f and its context directory last; an archive goes "
              "to standard input: build - <FILE");
    }
    if (!is_remote) {
      return not_found("path \"{}\" not found", path)
          .with_hint(
              "the last argument is the directory to build from, a URL, or - for standard "
              "input");
    }
  }
  options.request.context = std::move(path);
  return {};
}

Status finish(Options& options, std::vector<std::string> positionals) {
  if (positionals.size() != 1) {
    return invalid_argument("\"mybuild build\" requires exactly 1 argument, not {}",
                            positionals.size());
  }
  TRY(take_environment(options));
  take_inline_cache_arg(options.request);
  TRY(check_quiet(options));
  add_push(options);
  TRY(add_load(options));
  annotate(options.annotations, options.request.outputs);
  TRY(check_push(options.request));
  TRY(check_failure_handling(options.request));
  TRY(check_outputs(options));
  return take_context(options, std::move(positionals.front()));
}

}  // namespace

const Command<BuildOptions> kBuildCommand = {
    .text = {.name = "build",
             .usage = "mybuild [build] [OPTIONS] PATH|URL|-",
             .summary = "Build an image from a Dockerfile",
             .notes = "Run 'mybuild help' for the other commands."},
    .order = FlagSet::Order::Interspersed,
    .add_flags = add_flags,
    .finish = finish,
};

}  // namespace mybuild::cli

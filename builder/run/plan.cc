// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container.h"
#include "builder/run/mounts.h"
#include "snapshotter/base/rooted_path.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>

namespace mybuild::run {

namespace {

constexpr std::string_view kDefaultPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Result<std::vector<std::string>> make_argv(const oci::ImageConfig& config,
                                           const RunRequest& request) {
  CommandLine line = command_line(config, request);
  std::vector<std::string> argv = std::move(line.entrypoint);
  argv.insert(argv.end(), std::make_move_iterator(line.cmd.begin()),
              std::make_move_iterator(line.cmd.end()));
  if (argv.empty()) {
    return invalid_argument("no command specified")
        .with_hint("the image has no ENTRYPOINT or CMD to use: name a command after the image");
  }
  return argv;
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

/// "K=V" replaces in place or appends; a bare "K" removes.
void set_variable(std::vector<std::string>& env, const std::string& variable) {
  const auto found = std::find_if(env.begin(), env.end(), [&](const std::string& old) {
    return name_of(old) == name_of(variable);
  });
  if (variable.find('=') == std::string::npos) {
    if (found != env.end()) {
      env.erase(found);
    }
  } else if (found != env.end()) {
    *found = variable;
  } else {
    env.push_back(variable);
  }
}

Result<std::vector<std::string>> make_env(const oci::ImageConfig& config,
                                          const RunRequest& request) {
  std::vector<std::string> env{std::string(kDefaultPath)};
  if (!request.hostname.empty()) {
    env.push_back("HOSTNAME=" + request.hostname);
  }
  if (request.terminal) {
    env.emplace_back("TERM=xterm");
  }
  for (const std::string& variable : config.env) {
    set_variable(env, variable);
  }
  for (const std::string& variable : request.env) {
    if (name_of(variable).empty()) {
      return invalid_argument("invalid environment variable: \"{}\"", variable);
    }
    const char* ours =
        variable.find('=') == std::string::npos ? std::getenv(variable.c_str()) : nullptr;
    set_variable(env, ours != nullptr ? variable + "=" + ours : variable);
  }
  return env;
}

Result<std::string> make_cwd(const oci::ImageConfig& config, const RunRequest& request) {
  if (request.workdir.empty()) {
    return resolve_absolute("/", config.working_dir);
  }
  if (!request.workdir.starts_with('/')) {
    return invalid_argument("the working directory {} is not an absolute path", request.workdir);
  }
  return clean_absolute(request.workdir);
}

/// As runc: a container with somebody else's /proc could not be confined by what is read there.
Status check_target(const Volume& volume) {
  const std::string target = clean_absolute(volume.target);
  if (!volume.target.starts_with('/')) {
    return invalid_argument("volume {}:{}: its target must be absolute", volume.source,
                            volume.target);
  }
  if (target == "/" || target == "/proc" || target.starts_with("/proc/")) {
    return invalid_argument("volume {}: its target cannot be {}", volume.source, target);
  }
  return {};
}

Result<std::vector<sandbox::PlanMount>> make_mounts(const std::vector<Volume>& volumes) {
  std::vector<sandbox::PlanMount> mounts;
  std::set<std::string> targets;
  for (const Volume& volume : volumes) {
    TRY(check_target(volume));
    if (volume.kind != Volume::Kind::Bind) {
      continue;
    }
    if (!volume.source.starts_with('/')) {
      return invalid_argument("volume {}:{}: its source must be absolute", volume.source,
                              volume.target);
    }
    sandbox::PlanMount mount;
    mount.source = clean_absolute(volume.source);
    mount.target = clean_absolute(volume.target);
    mount.read_only = volume.read_only;
    if (!targets.insert(mount.target).second) {
      return invalid_argument("duplicate mount point: {}", mount.target);
    }
    mounts.push_back(std::move(mount));
  }
  sort_mounts(mounts);
  return mounts;
}

std::string hosts_file(const std::string& hostname) {
  std::string names = "localhost";
  if (!hostname.empty() && hostname != names) {
    names += " " + hostname;
  }
  return fmt::format("127.0.0.1\t{}\n::1\tlocalhost ip6-localhost ip6-loopback\n", names);
}

bool valid_hostname(std::string_view name) {
  constexpr std::size_t kLongest = 64;  // the kernel's __NEW_UTS_LEN
  return name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ||
                  c == '_';
         });
}

}  // namespace

void sort_mounts(std::vector<sandbox::PlanMount>& mounts) {
  const auto depth = [](const sandbox::PlanMount& mount) {
    return std::count(mount.target.begin(), mount.target.end(), '/');
  };
  std::stable_sort(mounts.begin(), mounts.end(),
                   [&](const auto& a, const auto& b) { return depth(a) < depth(b); });
}

/// --entrypoint, even an empty one, drops the image's CMD as well: it belongs to the image's
/// ENTRYPOINT.
CommandLine command_line(const oci::ImageConfig& config, const RunRequest& request) {
  const std::vector<std::string> none;
  if (request.entrypoint) {
    const bool cleared = request.entrypoint->empty();
    return {.entrypoint = cleared ? none : std::vector{*request.entrypoint}, .cmd = request.args};
  }
  return {.entrypoint = config.entrypoint.value_or(none),
          .cmd = request.args.empty() ? config.cmd.value_or(none) : request.args};
}

Result<sandbox::SandboxPlan> make_container_plan(const oci::ImageConfig& config,
                                                 const RunRequest& request) {
  if (!valid_hostname(request.hostname)) {
    return invalid_argument("invalid hostname: {}", request.hostname);
  }
  sandbox::SandboxPlan plan;
  plan.argv = TRY(make_argv(config, request));
  plan.env = TRY(make_env(config, request));
  plan.cwd = TRY(make_cwd(config, request));
  plan.mounts = TRY(make_mounts(request.volumes));
  plan.user = request.user.empty() ? config.user : request.user;
  plan.hostname = request.hostname;
  plan.hosts = hosts_file(request.hostname);
  plan.own_network_files = true;
  plan.network = request.network;
  plan.terminal = request.terminal;
  plan.init = request.init;
  return plan;
}

}  // namespace mybuild::run

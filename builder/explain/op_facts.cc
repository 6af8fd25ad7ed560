// SPDX-License-Identifier: Apache-2.0
// What a step does, as facts. Every field of an op that solver/graph/op_spec.cc encodes is here.
#include "builder/explain/observe.h"

#include <fmt/ranges.h>

namespace mybuild::explain {

namespace {

/// Longer texts are stored by their ends and their digest.
constexpr std::size_t kLongest = 4096;

std::string bounded(std::string_view text) {
  if (text.size() <= kLongest) {
    return std::string(text);
  }
  return fmt::format("{}…{}…{}", text.substr(0, kLongest / 2), Digest::of(text).str(),
                     text.substr(text.size() - kLongest / 4));
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

class OpFacts {
 public:
  explicit OpFacts(const std::set<std::string>& build_args) : build_args_(build_args) {}

  void operator()(const solver::SourceOp&) {}
  void operator()(const solver::MergeOp&) {}

  void operator()(const solver::FileOp& op) {
    for (const solver::FileAction& action : op.actions) {
      std::visit([this](const auto& kind) { add_action(kind); }, action);
    }
  }

  void operator()(const solver::ExecOp& op) {
    add(FactKind::Command, "command", {}, shell_text(op.args));
    facts_.back().shown = op.args.size() == 3 && op.args[0] == "/bin/sh" && op.args[1] == "-c"
                              ? bounded(op.args[2])
                              : std::string();
    for (const std::string& variable : op.env) {
      add_variable(variable);
    }
    add(FactKind::WorkDir, "workdir", {}, op.cwd);
    add_unless_empty(FactKind::User, "user", op.user);
    add_unless_empty(FactKind::HostName, "hostname", op.hostname);
    add_network(op);
    add_limits(op);
    for (const solver::ExecMount& mount : op.mounts) {
      add_mount(mount);
    }
    std::vector<std::string> devices;
    for (const solver::CdiDevice& device : op.devices) {
      devices.push_back(device.name + (device.required ? ",required" : ""));
    }
    add_unless_empty(FactKind::Devices, "devices", joined(devices));
  }

  std::vector<Fact> take() { return std::move(facts_); }

 private:
  void add(FactKind kind, std::string place, std::string name, std::string value) {
    Fact fact;
    fact.kind = kind;
    fact.place = std::move(place);
    fact.name = std::move(name);
    fact.value = std::move(value);
    facts_.push_back(std::move(fact));
  }
  void add_unless_empty(FactKind kind, std::string place, std::string value) {
    if (!value.empty()) {
      add(kind, std::move(place), {}, std::move(value));
    }
  }

  /// Words that no other list of words gives.
  static std::string shell_text(const std::vector<std::string>& args) {
    std::string text;
    for (const std::string& word : args) {
      text += text.empty() ? "" : " ";
      const bool plain = !word.empty() && word.find_first_of(" '\t\n") == std::string::npos;
      if (plain) {
        text += word;
        continue;
      }
      text += '\'';
      for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
      }
      text += '\'';
    }
    return bounded(text);
  }

  void add_variable(const std::string& variable) {
    const std::size_t equals = std::min(variable.find('='), variable.size());
    std::string name = variable.substr(0, equals);
    std::string value = equals < variable.size() ? variable.substr(equals + 1) : std::string();
    const FactKind kind = build_args_.contains(name) ? FactKind::BuildArg : FactKind::Variable;
    add(kind, "variable " + name, name, bounded(value));
  }

  void add_network(const solver::ExecOp& op) {
    constexpr std::string_view kNetworks[] = {"default", "none", "host"};
    add(FactKind::Network, "network", {},
        std::string(kNetworks[static_cast<std::size_t>(op.network)]));
    const bool insecure = op.security == solver::SecurityMode::Insecure;
    add(FactKind::Security, "security", {}, insecure ? "insecure" : "sandbox");
    add_unless_empty(FactKind::Hosts, "hosts", joined(op.extra_hosts));
  }

  void add_limits(const solver::ExecOp& op) {
    add_unless_empty(FactKind::ShmSize, "shm size",
                     op.shm_size == 0 ? std::string() : std::to_string(op.shm_size));
    std::vector<std::string> limits;
    for (const solver::Ulimit& limit : op.ulimits) {
      limits.push_back(fmt::format("{}={}:{}", limit.name, limit.soft, limit.hard));
    }
    add_unless_empty(FactKind::Ulimits, "ulimits", joined(limits));
  }

  void add_mount(const solver::ExecMount& mount) {
    std::string value = std::visit([](const auto& kind) { return mount_text(kind); }, mount.kind);
    value += mount.input ? ",from" : "";
    const auto* secret = std::get_if<solver::SecretMount>(&mount.kind);
    const std::string name =
        mount.target.empty() && secret != nullptr ? "secret " + secret->id : mount.target;
    add(FactKind::Mount, "mount " + name, name, std::move(value));
  }

  static std::string mount_text(const solver::BindMount& bind) {
    return fmt::format("type=bind,source={}{}", bind.source, bind.writable ? ",rw" : "");
  }
  static std::string mount_text(const solver::CacheMount& cache) {
    constexpr std::string_view kSharing[] = {"shared", "private", "locked"};
    return fmt::format("type=cache,id={},sharing={},source={},mode={:04o},uid={},gid={}{}",
                       cache.id, kSharing[static_cast<std::size_t>(cache.sharing)], cache.source,
                       cache.mode, cache.uid, cache.gid, cache.read_only ? ",ro" : "");
  }
  static std::string mount_text(const solver::TmpfsMount& tmpfs) {
    return fmt::format("type=tmpfs,size={}", tmpfs.size);
  }
  static std::string mount_text(const solver::SecretMount& secret) {
    return fmt::format("type=secret,id={}{},mode={:04o},uid={},gid={}{}", secret.id,
                       secret.env ? ",env=" + *secret.env : "", secret.mode, secret.uid, secret.gid,
                       secret.required ? ",required" : "");
  }
  static std::string mount_text(const solver::SshMount& ssh) {
    return fmt::format("type=ssh,id={},mode={:04o},uid={},gid={}{}", ssh.id, ssh.mode, ssh.uid,
                       ssh.gid, ssh.required ? ",required" : "");
  }

  std::string next_action() { return fmt::format("action {}", ++actions_); }

  void add_action(const solver::CopyAction& copy) {
    std::string text = copy.parents ? "--parents " : "";
    text += copy.owner ? fmt::format("--chown={} ", copy.owner->text) : "";
    text += copy.mode ? fmt::format("--chmod={} ", *copy.mode) : "";
    for (const std::string& exclude : copy.excludes) {
      text += fmt::format("--exclude={} ", exclude);
    }
    text += copy.unpack ? "--unpack " : "";
    text += joined(copy.sources) + " " + copy.dest;
    add(FactKind::Copy, next_action(), {}, bounded(text));
  }
  void add_action(const solver::MakeFileAction& file) {
    add(FactKind::File, next_action(), file.path,
        fmt::format("{:04o} {}", file.mode, bounded(file.content)));
  }
  void add_action(const solver::MakeDirAction& directory) {
    add(FactKind::Directory, next_action(), directory.path,
        fmt::format("{} mode {:04o}{}", directory.path, directory.mode,
                    directory.owner ? " owner " + directory.owner->text : ""));
  }

  const std::set<std::string>& build_args_;
  std::vector<Fact> facts_;
  std::size_t actions_ = 0;
};

}  // namespace

std::vector<Fact> op_facts(const solver::OpSpec& op, const std::set<std::string>& build_args) {
  OpFacts facts(build_args);
  std::visit(facts, op);
  return facts.take();
}

}  // namespace mybuild::explain

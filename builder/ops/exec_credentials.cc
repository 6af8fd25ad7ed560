// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/exec_credentials.h"

#include "snapshotter/base/sys.h"

namespace mybuild::ops {

namespace {

constexpr int kFirstPassed = 3;  // what Sandbox::run makes of the first of its `fds`

Status check_variable(const solver::SecretMount& mount, const std::string& value) {
  if (mount.env->empty()) {
    return invalid_argument("secret {}: its variable has no name", mount.id);
  }
  if (value.find('\0') != std::string::npos) {
    return invalid_argument("secret {}: a variable cannot hold its zero byte", mount.id)
        .with_hint("mount it as a file, without env=");
  }
  return {};
}

}  // namespace

class StepCredentials::Preparer {
 public:
  Preparer(StepCredentials& prepared, const OpDeps& deps, const Cancel& cancel)
      : prepared_(prepared), deps_(deps), cancel_(cancel) {}

  Status add(const solver::ExecMount& mount) {
    if (const auto* secret = std::get_if<solver::SecretMount>(&mount.kind)) {
      return add_secret(*secret, mount.target);
    }
    if (const auto* ssh = std::get_if<solver::SshMount>(&mount.kind)) {
      return add_agent(*ssh, mount.target);
    }
    return {};
  }

  Status finish() {
    if (!served_.empty()) {
      prepared_.proxy_ = TRY(secrets::AgentProxy::start(std::move(served_)));
    }
    return {};
  }

 private:
  /// As in BuildKit, a variable whose secret was not given is there and empty.
  Status add_secret(const solver::SecretMount& secret, const std::string& target) {
    std::optional<std::string> value;
    if (deps_.secrets != nullptr) {
      value = TRY(deps_.secrets->get(secret.id, cancel_));
    }
    if (!value && secret.required) {
      return not_found("secret {}: not found", secret.id)
          .with_hint(fmt::format("give it with --secret id={},src=FILE", secret.id));
    }
    if (secret.env) {
      TRY(check_variable(secret, value.value_or("")));
    }
    const bool mounted = value && !target.empty();
    if (!mounted && !secret.env) {
      return {};
    }
    const int fd = TRY(pass_value(value.value_or("")));
    if (secret.env) {
      prepared_.variables_.push_back({.name = *secret.env, .fd = fd});
    }
    if (mounted) {
      add_mount(sandbox::PlanMount::Type::File, S_IFREG, target, secret, fd);
    }
    return {};
  }

  Status add_agent(const solver::SshMount& ssh, const std::string& target) {
    secrets::SshAgent* agent = deps_.agents == nullptr ? nullptr : deps_.agents->find(ssh.id);
    if (agent == nullptr) {
      return ssh.required ? Status(not_found("unset ssh forward key {}", ssh.id)
                                       .with_hint(fmt::format("give it with --ssh {}", ssh.id)))
                          : Status();
    }
    Fd socket = TRY(secrets::AgentProxy::open_socket());
    add_mount(sandbox::PlanMount::Type::Socket, S_IFSOCK, target, ssh, pass(socket.get()));
    served_.push_back({.socket = std::move(socket), .agent = agent});
    return {};
  }

  template <class Mount>
  void add_mount(sandbox::PlanMount::Type type, mode_t kind, const std::string& target,
                 const Mount& rights, int fd) {
    sandbox::PlanMount plan;
    plan.type = type;
    plan.target = target;
    plan.mode = kind | (rights.mode & 0777U);
    plan.uid = rights.uid;
    plan.gid = rights.gid;
    plan.no_exec = true;
    plan.fd = fd;
    prepared_.mounts_.push_back(std::move(plan));
  }

  Result<int> pass_value(const std::string& value) {
    Fd file = TRY(sys::memfd("secret"));
    TRY(sys::write_all(file.get(), as_bytes(value)));
    prepared_.files_.push_back(std::move(file));
    return pass(prepared_.files_.back().get());
  }

  /// The number that the descriptor will have in the helper.
  int pass(int fd) {
    prepared_.fds_.push_back(fd);
    return kFirstPassed + static_cast<int>(prepared_.fds_.size()) - 1;
  }

  StepCredentials& prepared_;
  const OpDeps& deps_;
  const Cancel& cancel_;
  std::vector<secrets::AgentProxy::Served> served_;
};

Result<StepCredentials> StepCredentials::prepare(const solver::ExecOp& op, const OpDeps& deps,
                                                 const Cancel& cancel) {
  StepCredentials prepared;
  Preparer preparer(prepared, deps, cancel);
  for (const solver::ExecMount& mount : op.mounts) {
    TRY(preparer.add(mount));
  }
  TRY(preparer.finish());
  return prepared;
}

}  // namespace mybuild::ops

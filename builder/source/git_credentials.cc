// SPDX-License-Identifier: Apache-2.0
#include "builder/source/git_credentials.h"

#include "snapshotter/base/sys.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace mybuild::source {

namespace {

struct SecretName {
  std::string id;
  bool is_token = false;
};

/// A file that an editor wrote ends with a line's end; no header may hold one.
Result<std::string> one_line(std::string value, const std::string& id) {
  while (value.ends_with('\n') || value.ends_with('\r')) {
    value.pop_back();
  }
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return invalid_argument("secret {}: more than one line is no HTTP header", id);
  }
  return value;
}

std::string home() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return home;
  }
  struct passwd entry {};
  struct passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  const int failed = ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found);
  return failed == 0 && found != nullptr ? found->pw_dir : "/";
}

}  // namespace

Result<std::string> git_authorization(const git::Remote& remote, secrets::SecretSource* secrets,
                                      const Cancel& cancel) {
  using Scheme = git::Remote::Scheme;
  if (remote.scheme != Scheme::Https && remote.scheme != Scheme::Http) {
    return std::string();
  }
  const std::string host = "." + git::host_and_port(remote);
  const SecretName names[] = {{"GIT_AUTH_HEADER" + host, false},
                              {"GIT_AUTH_TOKEN" + host, true},
                              {"GIT_AUTH_HEADER", false},
                              {"GIT_AUTH_TOKEN", true}};
  for (const SecretName& name : names) {
    std::optional<std::string> value;
    if (secrets != nullptr) {
      value = TRY(secrets->get(name.id, cancel));
    }
    if (value) {
      const std::string line = TRY(one_line(std::move(*value), name.id));
      return name.is_token ? git::basic_authorization("x-access-token", line) : line;
    }
  }
  return git::url_authorization(remote);
}

std::vector<std::string> known_hosts_files() {
  return {home() + "/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"};
}

Result<GitAgent> serve_git_agent(const git::Remote& remote, secrets::AgentSource* agents) {
  GitAgent served;
  secrets::SshAgent* agent = agents == nullptr ? nullptr : agents->find("default");
  // Submodules may be behind ssh when the remote itself is not.
  if (agent == nullptr || remote.scheme == git::Remote::Scheme::File) {
    return served;
  }
  Fd socket = TRY(secrets::AgentProxy::open_socket());
  served.socket = TRY(sys::dup(socket.get()));
  std::vector<secrets::AgentProxy::Served> list(1);
  list[0].socket = std::move(socket);
  list[0].agent = agent;
  served.proxy = TRY(secrets::AgentProxy::start(std::move(list)));
  return served;
}

}  // namespace mybuild::source

// SPDX-License-Identifier: Apache-2.0
#include "builder/git/helper/session.h"

#include "snapshotter/base/base64.h"
#include "snapshotter/base/file.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mybuild::git {

namespace {

constexpr int kBacklog = 16;

/// The builder made the socket and accepts; its name is found by whom we tell, wherever the scratch
/// directory lies, as names of sockets are short.
Result<std::string> name_agent_socket() {
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "agent");
  if (::bind(kAgentFd, reinterpret_cast<struct sockaddr*>(&address), sizeof address) < 0 ||
      ::listen(kAgentFd, kBacklog) < 0) {
    return os_error(errno, "give the ssh agent's socket a name");
  }
  return fmt::format("/proc/{}/cwd/agent", ::getpid());
}

/// The name that stands at the front of a key: "ssh-ed25519".
std::string_view key_type(std::string_view key) {
  if (key.size() < 4) {
    return "unknown";
  }
  std::size_t size = 0;
  for (const char c : key.substr(0, 4)) {
    size = size << 8U | static_cast<unsigned char>(c);
  }
  const std::string_view type = key.substr(4, size);
  return type.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-@.") == std::string_view::npos
             ? type
             : "unknown";
}

}  // namespace

Result<Session> Session::open(const HelperRequest& request, Reporter& reporter) {
  Session session;
  session.request_ = &request;
  session.reporter_ = &reporter;
  if (!request.authorization.empty()) {
    const Remote remote = TRY(parse_remote(request.remote));
    session.origin_ = mybuild::git::origin(remote);
  }
  for (const std::string& path : request.known_hosts) {
    session.known_hosts_.load(path);
  }
  if (::chdir(request.scratch.c_str()) < 0) {
    return os_error(errno, "enter " + request.scratch);
  }
  TRY(make_dirs(request.scratch + "/.ssh", 0700));
  TRY(write_file(session.known_hosts_file(), session.known_hosts_.text(), 0600));
  if (request.has_agent) {
    session.agent_ = TRY(name_agent_socket());
    ::setenv("SSH_AUTH_SOCK", session.agent_.c_str(), 1);
  }
  return session;
}

std::string Session::authorization(const Remote& remote) const {
  return !origin_.empty() && mybuild::git::origin(remote) == origin_ ? request_->authorization : "";
}

Status Session::judge_host_key(const Remote& remote, std::string_view key) {
  const std::string name = known_hosts_name(remote.host, remote.port);
  switch (known_hosts_.check(name, key)) {
    case HostKey::Known:
      return {};
    case HostKey::Differs:
      return make_error(ErrorKind::Denied,
                        "{}: its ssh key {} is not the one that known_hosts has for it", name,
                        fingerprint(key))
          .with_hint(fmt::format("somebody may be between you and the server; if its key was "
                                 "changed: ssh-keygen -R '{}'",
                                 name));
    case HostKey::Revoked:
      return make_error(ErrorKind::Denied, "{}: its ssh key {} was revoked", name,
                        fingerprint(key));
    case HostKey::Unknown:
      break;
  }
  reporter_->warn(fmt::format("{} is in no known_hosts file: accepted with the ssh key {}", name,
                              fingerprint(key)));
  // Known from now on: what else this build asks the host must be answered with this key.
  known_hosts_.add(fmt::format("{} {} {}\n", name, key_type(key), base64_encode(key)));
  return write_file(known_hosts_file(), known_hosts_.text(), 0600);
}

Status check_agent(const Session& session, const Remote& remote) {
  if (remote.scheme == Remote::Scheme::Ssh && session.agent().empty()) {
    return make_error(ErrorKind::Denied, "{}: no ssh agent was given", shown(remote))
        .with_hint("give one with --ssh default");
  }
  return {};
}

}  // namespace mybuild::git

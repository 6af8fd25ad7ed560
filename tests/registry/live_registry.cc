// SPDX-License-Identifier: Apache-2.0
#include "tests/registry/live_registry.h"

#include "snapshotter/base/sys.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace mybuild::registry {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int free_port() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.sin_port);
}

Status wait_until_open(int port) {
  for (int attempt = 0; attempt < 500; ++attempt) {
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return {};
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return make_error(ErrorKind::Unavailable, "docker-registry does not open its port");
}

std::vector<std::string> tool_environment(const std::string& home) {
  return {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home, "XDG_RUNTIME_DIR=" + home,
          "TMPDIR=" + home};
}

}  // namespace

std::optional<std::string> LiveRegistry::missing() {
  for (const char* tool : {"/usr/bin/docker-registry", "/usr/bin/skopeo"}) {
    if (!sys::exists_at(AT_FDCWD, tool)) {
      return std::string(tool) + " is not installed";
    }
  }
  return std::nullopt;
}

Result<LiveRegistry> LiveRegistry::start() {
  TempDir dir = TRY(TempDir::create());
  const int port = free_port();
  const std::string config = fmt::format(
      "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  "
      "filesystem:\n    rootdirectory: {}/data\n"
      "http:\n  addr: 127.0.0.1:{}\n",
      dir.path(), port);
  TRY(write_file(dir.path() + "/config.yml", config));
  const Fd null = TRY(sys::open("/dev/null", O_RDWR));
  Child::Options options;
  options.fds = {{null.get(), 1}, {null.get(), 2}};
  options.argv = {"docker-registry", "serve", dir.path() + "/config.yml"};
  options.env = tool_environment(dir.path());
  Child child = TRY(Child::spawn(options));
  TRY(wait_until_open(port));
  return LiveRegistry(std::move(dir), std::move(child), port);
}

Status LiveRegistry::push(const std::string& source, const std::string& name,
                          const std::vector<std::string>& flags) {
  Child::Options options;
  options.argv = {"skopeo", "copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"};
  options.argv.insert(options.argv.end(), flags.begin(), flags.end());
  options.argv.push_back(source);
  options.argv.push_back(fmt::format("docker://127.0.0.1:{}/{}", port_, name));
  options.env = tool_environment(dir_.path());
  Child child = TRY(Child::spawn(options));
  const ExitStatus status = TRY(child.wait());
  if (!status.success()) {
    return make_error(ErrorKind::ProcessFailed, "skopeo copy {} failed", source);
  }
  return {};
}

Status LiveRegistry::stop() {
  TRY(child_.kill(SIGKILL));
  TRY(child_.wait());
  return {};
}

}  // namespace mybuild::registry

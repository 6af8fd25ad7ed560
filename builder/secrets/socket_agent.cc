// SPDX-License-Identifier: Apache-2.0
#include "builder/secrets/socket_agent.h"

#include "builder/secrets/agent_protocol.h"
#include "snapshotter/base/sys.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace mybuild::secrets {

namespace {

Status wait_for(int socket, short events, const Cancel& cancel) {
  std::array<struct pollfd, 2> entries{{{.fd = socket, .events = events, .revents = 0},
                                        {.fd = cancel.fd(), .events = POLLIN, .revents = 0}}};
  if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) {
    return os_error(errno, "wait for the ssh agent");
  }
  return cancel.check();
}

Status send_all(int socket, std::string_view bytes, const Cancel& cancel) {
  while (!bytes.empty()) {
    TRY(wait_for(socket, POLLOUT, cancel));
    const ssize_t size = ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
      return os_error(errno, "write to the ssh agent");
    }
    bytes.remove_prefix(size < 0 ? 0 : static_cast<std::size_t>(size));
  }
  return {};
}

Result<std::string> receive(int socket, std::size_t size, const Cancel& cancel) {
  std::string bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    TRY(wait_for(socket, POLLIN, cancel));
    const ssize_t more = ::recv(socket, bytes.data() + have, size - have, MSG_DONTWAIT);
    if (more == 0) {
      return Error(ErrorKind::Unavailable, "the ssh agent hung up");
    }
    if (more < 0 && errno != EAGAIN && errno != EINTR) {
      return os_error(errno, "read from the ssh agent");
    }
    have += more < 0 ? 0 : static_cast<std::size_t>(more);
  }
  return bytes;
}

class SocketAgent final : public SshAgent {
 public:
  explicit SocketAgent(Fd place) : place_(std::move(place)) {}

  Result<std::string> ask(std::string_view request, const Cancel& cancel) override {
    const Fd socket = TRY(connect());
    TRY(send_all(socket.get(), WireWriter().string(request).take(), cancel));
    const std::string length = TRY(receive(socket.get(), kLengthSize, cancel));
    const std::uint32_t size = *WireReader(length).number();
    if (size == 0 || size > kMaxMessage) {
      return invalid_argument("the ssh agent answers with {} bytes", size);
    }
    return receive(socket.get(), size, cancel);
  }

  Result<Fd> connect() const {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    struct sockaddr_un address {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, sys::proc_fd_path(place_.get()).c_str());
    if (!socket || ::connect(socket.get(), reinterpret_cast<const struct sockaddr*>(&address),
                             sizeof address) < 0) {
      return os_error(errno, "connect to the ssh agent");
    }
    return socket;
  }

 private:
  Fd place_;  // the socket's file: its path may be longer than an address
};

}  // namespace

Result<std::unique_ptr<SshAgent>> open_socket_agent(const std::string& path) {
  Fd place = TRY(sys::open(path, O_PATH));
  auto agent = std::make_unique<SocketAgent>(std::move(place));
  TRY(agent->connect());
  return std::unique_ptr<SshAgent>(std::move(agent));
}

}  // namespace mybuild::secrets

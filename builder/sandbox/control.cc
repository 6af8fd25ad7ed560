// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/control.h"

#include "builder/sandbox/file_mounts.h"
#include "builder/sandbox/plan_wire.h"
#include "snapshotter/base/json.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mybuild::sandbox {

namespace {

constexpr std::size_t kMaxPacket = 160 * 1024;  // below the default socket buffer of 208 KiB
constexpr std::size_t kMostAtOnce = 128;        // the kernel takes 253 descriptors with one packet
constexpr char kMoreFollow = 'M';
constexpr char kLastOnes = 'L';

Json encode_error(const Error& error) {
  return Json{{"kind", static_cast<int>(error.kind())},
              {"errno", error.os_errno()},
              {"text", error.message()},
              {"hint", error.hint()}};
}

/// The error that was sent, or why it cannot be read.
Error decode_error(const JsonField& field) {
  const std::int64_t kind = TRY(TRY(field.field("kind")).integer());
  if (kind < 0 || kind > static_cast<int>(ErrorKind::Internal)) {
    return field.error("an error kind");
  }
  const std::int64_t os_errno = TRY(TRY(field.field("errno")).integer());
  std::string text = TRY(TRY(field.field("text")).string());
  std::string hint = TRY(TRY(field.field("hint")).string());
  return Error(static_cast<ErrorKind>(kind), std::move(text))
      .with_errno(static_cast<int>(os_errno))
      .with_hint(std::move(hint));
}

Json encode_exit(const SandboxExit& exit) {
  return Json{{"code", exit.status.code},
              {"signal", exit.status.signal},
              {"user_us", exit.usage.user_time.count()},
              {"system_us", exit.usage.system_time.count()},
              {"max_rss", exit.usage.max_rss},
              {"oom_killed", exit.oom_killed},
              {"not_found", exit.not_found},
              {"not_executable", exit.not_executable},
              {"start_error", exit.start_error}};
}

Result<SandboxExit> decode_exit(const JsonField& field) {
  SandboxExit exit;
  exit.status.code = static_cast<int>(TRY(TRY(field.field("code")).integer()));
  exit.status.signal = static_cast<int>(TRY(TRY(field.field("signal")).integer()));
  exit.usage.user_time = std::chrono::microseconds(TRY(TRY(field.field("user_us")).integer()));
  exit.usage.system_time = std::chrono::microseconds(TRY(TRY(field.field("system_us")).integer()));
  exit.usage.max_rss = static_cast<std::uint64_t>(TRY(TRY(field.field("max_rss")).integer()));
  exit.oom_killed = TRY(TRY(field.field("oom_killed")).boolean_or(false));
  exit.not_found = TRY(TRY(field.field("not_found")).boolean_or(false));
  exit.not_executable = TRY(TRY(field.field("not_executable")).boolean_or(false));
  exit.start_error = TRY(TRY(field.field("start_error")).string_or(""));
  return exit;
}

Json encode_above(const StubRecord::Above& above) {
  return Json{{"path", above.path},
              {"mode", above.mode},
              {"uid", above.uid},
              {"gid", above.gid},
              {"seconds", above.mtime.tv_sec},
              {"nanoseconds", above.mtime.tv_nsec},
              {"xattrs", above.has_xattrs}};
}

Result<StubRecord::Above> decode_above(const JsonField& field) {
  StubRecord::Above above;
  above.path = TRY(TRY(field.field("path")).string());
  above.mode = static_cast<mode_t>(TRY(TRY(field.field("mode")).integer()));
  above.uid = static_cast<uid_t>(TRY(TRY(field.field("uid")).integer()));
  above.gid = static_cast<gid_t>(TRY(TRY(field.field("gid")).integer()));
  above.mtime.tv_sec = TRY(TRY(field.field("seconds")).integer());
  above.mtime.tv_nsec = TRY(TRY(field.field("nanoseconds")).integer());
  above.has_xattrs = TRY(TRY(field.field("xattrs")).boolean_or(true));
  return above;
}

/// One byte, and room for the descriptors that go with it.
class DescriptorPacket {
 public:
  explicit DescriptorPacket(std::size_t count) {
    message_.msg_iov = &part_;
    message_.msg_iovlen = 1;
    message_.msg_control = room_;
    message_.msg_controllen = CMSG_SPACE(count * sizeof(int));
  }
  DescriptorPacket(const DescriptorPacket&) = delete;
  DescriptorPacket& operator=(const DescriptorPacket&) = delete;
  ~DescriptorPacket() = default;

  msghdr& message() { return message_; }
  char& byte() { return byte_; }

  void put(std::span<const int> fds) {
    cmsghdr* const header = CMSG_FIRSTHDR(&message_);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }

  void take_into(std::vector<Fd>& fds) {
    const cmsghdr* const header = CMSG_FIRSTHDR(&message_);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) {
      return;
    }
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }

 private:
  char byte_ = 0;
  iovec part_{.iov_base = &byte_, .iov_len = 1};
  alignas(cmsghdr) char room_[CMSG_SPACE(kMostAtOnce * sizeof(int))] = {};
  msghdr message_{};
};

}  // namespace

std::string encode_report(const Result<SandboxExit>& report) {
  Json json =
      report ? Json{{"exit", encode_exit(*report)}} : Json{{"error", encode_error(report.error())}};
  std::string text = canonical_dump(json);
  if (text.size() <= kMaxPacket) {
    return text;
  }
  return encode_report(internal_error("the sandbox's report is too long"));
}

Result<SandboxExit> decode_report(std::string_view text) {
  const Json value = TRY(parse_json(text));
  const JsonField top(value, "report");
  const JsonField error = TRY(top.field("error"));
  if (!error.absent()) {
    return decode_error(error);
  }
  return decode_exit(TRY(top.field("exit")));
}

std::string encode_stubs(const StubRecord& stubs) {
  Json made = Json::array();
  for (const StubRecord::Made& stub : stubs.made) {
    made.push_back({{"path", stub.path}, {"directory", stub.directory}});
  }
  Json above = Json::array();
  for (const StubRecord::Above& directory : stubs.above) {
    above.push_back(encode_above(directory));
  }
  return canonical_dump(Json{{"made", std::move(made)}, {"above", std::move(above)}});
}

Result<std::optional<StubRecord>> decode_stubs(std::string_view text) {
  const Json value = TRY(parse_json(text));
  const JsonField top(value, "stubs");
  const JsonField made = TRY(top.field("made"));
  if (made.absent()) {
    return std::optional<StubRecord>();
  }
  StubRecord stubs;
  for (const JsonField& item : TRY(made.items())) {
    std::string path = TRY(TRY(item.field("path")).string());
    const bool directory = TRY(TRY(item.field("directory")).boolean_or(false));
    stubs.made.push_back({std::move(path), directory});
  }
  for (const JsonField& item : TRY(TRY(top.field("above")).items())) {
    stubs.above.push_back(TRY(decode_above(item)));
  }
  return std::optional(std::move(stubs));
}

Result<std::optional<std::string>> receive_packet(int socket) {
  std::string packet;
  for (bool sized = false;;) {
    // First the size, so that a short message does not cost a buffer for the longest one.
    const int flags = sized ? 0 : MSG_PEEK | MSG_TRUNC;
    const ssize_t size = ::recv(socket, packet.data(), packet.size(), flags);
    if (size == 0 || (size < 0 && errno == ECONNRESET)) {
      return std::optional<std::string>();
    }
    if (size < 0 && errno != EINTR) {
      return os_error(errno, "receive from the sandbox");
    }
    if (size > 0 && sized) {
      return std::optional(std::move(packet));
    }
    if (size > 0) {
      packet.resize(static_cast<std::size_t>(size));
      sized = true;
    }
  }
}

Status send_packet(int socket, std::string_view packet) {
  while (::send(socket, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return os_error(errno, "send to the sandbox");
    }
  }
  return {};
}

Status send_descriptors(int socket, std::span<const int> fds) {
  for (bool more = true; more;) {
    const auto some = fds.first(std::min(fds.size(), kMostAtOnce));
    fds = fds.subspan(some.size());
    more = !fds.empty();
    DescriptorPacket packet(some.size());
    packet.byte() = more ? kMoreFollow : kLastOnes;
    packet.put(some);
    while (::sendmsg(socket, &packet.message(), MSG_NOSIGNAL) < 0) {
      if (errno != EINTR) {
        return os_error(errno, "send descriptors to the sandbox");
      }
    }
  }
  return {};
}

Result<std::optional<std::vector<Fd>>> receive_descriptors(int socket) {
  std::vector<Fd> fds;
  for (;;) {
    DescriptorPacket packet(kMostAtOnce);
    const ssize_t size = ::recvmsg(socket, &packet.message(), MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0 && errno != ECONNRESET) {
      return os_error(errno, "receive descriptors");
    }
    if (size <= 0) {
      return std::optional<std::vector<Fd>>();
    }
    packet.take_into(fds);
    if (packet.byte() == kLastOnes) {
      return std::optional(std::move(fds));
    }
  }
}

Status put_in_place(std::vector<Fd> fds) {
  const int count = static_cast<int>(fds.size());
  for (Fd& fd : fds) {
    const int parked = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, count);
    if (parked < 0) {
      return os_error(errno, "move a descriptor");
    }
    fd = Fd(parked);
  }
  for (int place = 0; place < count; ++place) {
    const int parked = fds[static_cast<std::size_t>(place)].get();
    if (::dup3(parked, place, place > STDERR_FILENO ? O_CLOEXEC : 0) < 0) {
      return os_error(errno, "place a descriptor");
    }
  }
  return {};
}

Result<SandboxPlan> read_plan(int fd) {
  return unpack(TRY(read_memory_file(fd)));
}

}  // namespace mybuild::sandbox

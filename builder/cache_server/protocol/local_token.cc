// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/local_token.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>
#include <vector>

namespace mybuild::cache_server {

namespace {

constexpr std::size_t kMaxToken = 4096;
constexpr std::string_view kListening = "0A";

std::string runtime_dir() {
  const char* const given = std::getenv("XDG_RUNTIME_DIR");
  if (given != nullptr && *given == '/') {
    return given;
  }
  return ::geteuid() == 0 ? "/run" : fmt::format("/tmp/mybuild-{}", ::geteuid());
}

/// What is ours and closed to others' writing.
Status check_directory(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return os_error(errno, "look at " + path);
  }
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 0022) != 0) {
    return make_error(ErrorKind::Denied, "{} is no directory that only we may write to", path);
  }
  return {};
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

struct Listeners {
  std::size_t ours = 0;
  std::size_t others = 0;
};

/// "  sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid …"
void count_listeners(std::string_view table, std::uint16_t port, std::uint32_t uid,
                     Listeners& found) {
  const std::string place = fmt::format(":{:04X}", port);
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> columns;
    for (std::string word; columns.size() < 8 && words >> word;) {
      columns.push_back(word);
    }
    if (columns.size() == 8 && columns[1].ends_with(place) && columns[3] == kListening) {
      ++(columns[7] == std::to_string(uid) ? found.ours : found.others);
    }
  }
}

}  // namespace

std::string local_token_path(std::uint16_t port) {
  return join_path(runtime_dir(), fmt::format("mybuild/serve-{}.token", port));
}

std::string local_token_path(const std::string& socket) {
  return socket + ".token";
}

Status publish_local_token(const std::string& path, std::string_view token) {
  const std::string directory = directory_of(path);
  TRY(make_dirs(directory, 0700));
  TRY(check_directory(directory));
  AtomicFile file = TRY(AtomicFile::create(path, 0600));
  TRY(file.write(as_bytes(token)));
  return std::move(file).commit();
}

std::string read_local_token(const std::string& path) {
  const Result<Fd> file = sys::open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat info {};
  if (!file || ::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      info.st_uid != ::geteuid() || (info.st_mode & 0077) != 0 ||
      static_cast<std::size_t>(info.st_size) > kMaxToken) {
    return {};
  }
  std::string token = sys::read_to_end(file->get()).value_or("");
  while (token.ends_with('\n')) {
    token.pop_back();
  }
  return token;
}

bool is_our_port(std::uint16_t port, std::string_view tcp, std::string_view tcp6,
                 std::uint32_t uid) {
  Listeners found;
  count_listeners(tcp, port, uid, found);
  count_listeners(tcp6, port, uid, found);
  return found.ours > 0 && found.others == 0;
}

bool is_our_port(std::uint16_t port) {
  return is_our_port(port, read_file("/proc/net/tcp").value_or(""),
                     read_file("/proc/net/tcp6").value_or(""), ::geteuid());
}

bool is_our_socket(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode) && info.st_uid == ::geteuid();
}

}  // namespace mybuild::cache_server

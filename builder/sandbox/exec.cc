// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/exec.h"

#include "snapshotter/base/sys.h"

#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace mybuild::sandbox {

namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view search_path(const std::vector<std::string>& env) {
  constexpr std::string_view kKey = "PATH=";
  std::string_view path = kDefaultPath;
  for (const std::string& entry : env) {
    if (entry.starts_with(kKey)) {
      path = std::string_view(entry).substr(kKey.size());
    }
  }
  return path;
}

/// 0, or why the file cannot be run.
int runnable(const std::string& path) {
  const Result<struct stat> info = sys::stat_at(AT_FDCWD, path);
  if (!info) {
    return info.error().os_errno();
  }
  if (S_ISDIR(info->st_mode) || ::access(path.c_str(), X_OK) != 0) {
    return EACCES;
  }
  return 0;
}

struct Found {
  std::string path;
  int error = 0;
};

Found find_program(const std::string& name, std::string_view path) {
  if (name.find('/') != std::string::npos) {
    return {name, runnable(name)};
  }
  int error = ENOENT;
  for (bool last = false; !last && !name.empty();) {
    const std::size_t end = path.find(':');
    last = end == std::string_view::npos;
    const std::string_view directory = path.substr(0, end);
    const std::string candidate = std::string(directory.empty() ? "." : directory) + "/" + name;
    const int why = runnable(candidate);
    if (why == 0) {
      return {candidate, 0};
    }
    error = why == EACCES ? EACCES : error;
    path = last ? std::string_view() : path.substr(end + 1);
  }
  return {name, error};
}

/// As Go's runtimes print it: in lower case.
std::string error_text(int error) {
  std::string text = std::strerror(error);
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

SandboxExit start_failure(const std::string& name, int error) {
  SandboxExit exit;
  exit.not_found = error == ENOENT || error == ENOTDIR;
  exit.not_executable = !exit.not_found;
  exit.status.code = exit.not_found ? 127 : 126;
  const bool searched = name.find('/') == std::string::npos;
  exit.start_error = fmt::format(
      "exec: \"{}\": {}", name,
      exit.not_found && searched ? "executable file not found in $PATH" : error_text(error));
  return exit;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (const std::string& text : strings) {
    list.push_back(const_cast<char*>(text.c_str()));
  }
  list.push_back(nullptr);
  return list;
}

}  // namespace

SandboxExit execute(const Command& command) {
  const std::string& name = command.argv.front();
  const Found program = find_program(name, search_path(command.env));
  if (program.error != 0) {
    return start_failure(name, program.error);
  }
  const std::vector<char*> argv = pointers(command.argv);
  const std::vector<char*> env = pointers(command.env);
  ::execve(program.path.c_str(), argv.data(), env.data());
  const int error = errno;
  // A file that is there but "not found" lacks its interpreter or loader: say so with its path.
  return start_failure(error == ENOENT ? program.path : name, error);
}

}  // namespace mybuild::sandbox

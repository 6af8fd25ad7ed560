// SPDX-License-Identifier: Apache-2.0
#include "builder/run/program_process.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <sstream>
#include <string_view>
#include <vector>

namespace mybuild::run {

namespace {

std::string proc_path(pid_t pid, std::string_view name) {
  return fmt::format("/proc/{}/{}", pid, name);
}

/// Who took the lock: the mybuild that runs the container. A line of /proc/locks is
/// "7: FLOCK ADVISORY WRITE 4711 08:01:2345 0 EOF".
pid_t holder_of(const struct stat& file) {
  const std::string place = fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev),
                                        static_cast<std::uint64_t>(file.st_ino));
  std::istringstream lines(read_file("/proc/locks").value_or(std::string()));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string number;
    std::string type;
    std::string mode;
    std::string access;
    std::string where;
    pid_t pid = 0;
    if (words >> number >> type >> mode >> access >> pid >> where && type == "FLOCK" &&
        where == place) {
      return pid;
    }
  }
  return 0;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  const std::string tasks = proc_path(pid, "task");
  const Result<Fd> dir = sys::open(tasks, O_RDONLY | O_DIRECTORY);
  const Result<std::vector<std::string>> threads =
      dir ? sys::list_dir(dir->get()) : Result<std::vector<std::string>>(dir.error());
  for (const std::string& thread : threads.value_or(std::vector<std::string>())) {
    std::istringstream list(
        read_file(fmt::format("{}/{}/children", tasks, thread)).value_or(std::string()));
    for (pid_t child = 0; list >> child;) {
      children.push_back(child);
    }
  }
  return children;
}

/// Its number in its own namespace is the last one of "NSpid:\t4711\t1".
bool is_first_of_its_namespace(pid_t pid) {
  std::istringstream lines(read_file(proc_path(pid, "status")).value_or(std::string()));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("NSpid:")) {
      return line.ends_with("\t1");
    }
  }
  return false;
}

}  // namespace

pid_t find_program(const std::string& lock_path) {
  const Result<struct stat> lock = sys::lstat_at(AT_FDCWD, lock_path);
  const pid_t owner = lock ? holder_of(*lock) : 0;
  if (owner <= 0) {
    return 0;
  }
  for (const pid_t helper : children_of(owner)) {
    for (const pid_t program : children_of(helper)) {
      if (is_first_of_its_namespace(program)) {
        return program;
      }
    }
  }
  return 0;
}

}  // namespace mybuild::run

// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/rooted_path.h"

#include "snapshotter/base/sys.h"

#include <linux/openat2.h>

#include <cerrno>

namespace mybuild {

std::vector<std::string> path_components(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view() : path.substr(end + 1);
    if (part.empty() || part == ".") {
      continue;
    }
    if (part != "..") {
      parts.emplace_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return parts;
}

std::string clean_relative(std::string_view path) {
  std::string cleaned;
  for (const std::string& part : path_components(path)) {
    if (!cleaned.empty()) {
      cleaned.push_back('/');
    }
    cleaned.append(part);
  }
  return cleaned;
}

std::string clean_absolute(std::string_view path) {
  return "/" + clean_relative(path);
}

std::string resolve_absolute(std::string_view base, std::string_view path) {
  if (path.starts_with('/')) {
    return clean_absolute(path);
  }
  return clean_absolute(std::string(base) + "/" + std::string(path));
}

Result<Fd> open_in_root(int root_fd, std::string_view path, int flags, mode_t mode) {
  if (path.find('\0') != std::string_view::npos) {
    return invalid_argument("a path has a NUL byte");
  }
  std::string inside(path);
  if (inside.find_first_not_of('/') == std::string::npos) {
    inside = ".";
  }
  return sys::open_at2(root_fd, inside, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, mode);
}

Result<Fd> make_dirs_in_root(int root_fd, std::string_view path, mode_t mode, uid_t uid,
                             gid_t gid) {
  Fd current = TRY(open_in_root(root_fd, "", O_PATH | O_DIRECTORY));
  std::string walked;
  for (const std::string& part : path_components(path)) {
    walked = walked.empty() ? part : walked + "/" + part;
    Result<Fd> next = open_in_root(root_fd, walked, O_PATH | O_DIRECTORY);
    if (!next && next.error().os_errno() == ENOENT) {
      const Status made = sys::mkdir_at(current.get(), part, mode);
      if (!made && made.error().os_errno() != EEXIST) {  // somebody else made it: theirs is as good
        return Error(made.error()).context(std::string(path));
      }
      next = open_in_root(root_fd, walked, O_PATH | O_DIRECTORY);
      if (next && made) {
        TRY(sys::fchown_at(current.get(), part, uid, gid));
        TRY(sys::fchmod_at(current.get(), part, mode));
      }
    }
    if (!next) {
      return std::move(next).error();
    }
    current = std::move(next).value();
  }
  return current;
}

}  // namespace mybuild

// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/identity.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/rooted_path.h"
#include "snapshotter/base/sys.h"

#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>
#include <optional>

namespace mybuild::sandbox {

namespace {

constexpr std::size_t kMaxFile = 10 << 20;

/// "a:b:c" as its fields; missing ones are empty.
template <std::size_t count>
std::array<std::string_view, count> split_fields(std::string_view line) {
  std::array<std::string_view, count> fields;
  for (std::string_view& field : fields) {
    const std::size_t end = std::min(line.find(':'), line.size());
    field = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return fields;
}

std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, id);
  const bool whole = failure == std::errc() && stop == end && !text.empty();
  return whole && id <= std::numeric_limits<std::int32_t>::max() ? std::optional(id) : std::nullopt;
}

/// Calls `visit` with each line until it returns true.
template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (visit(text.substr(0, end))) {
      return;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

struct PasswdEntry {
  std::string_view name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string_view home;
};

/// The first line whose name or number fits, as docker has it.
std::optional<PasswdEntry> find_user(std::string_view passwd, std::string_view user) {
  const std::optional<std::uint32_t> wanted = user.empty() ? 0 : parse_id(user);
  std::optional<PasswdEntry> found;
  for_each_line(passwd, [&](std::string_view line) {
    const auto [name, password, uid_text, gid_text, comment, home] = split_fields<6>(line);
    const std::optional<std::uint32_t> uid = parse_id(uid_text);
    const std::optional<std::uint32_t> gid = parse_id(gid_text);
    const bool fits = (!user.empty() && name == user) || (wanted && uid == wanted);
    if (uid && gid && fits) {
      found = PasswdEntry{name, *uid, *gid, home};
    }
    return found.has_value();
  });
  return found;
}

std::optional<gid_t> find_group(std::string_view groups, std::string_view group) {
  const std::optional<std::uint32_t> wanted = parse_id(group);
  std::optional<gid_t> found;
  for_each_line(groups, [&](std::string_view line) {
    const auto [name, password, gid_text] = split_fields<3>(line);
    const std::optional<std::uint32_t> gid = parse_id(gid_text);
    if (gid && (name == group || gid == wanted)) {
      found = *gid;
    }
    return found.has_value();
  });
  return found ? found : wanted;
}

bool lists_member(std::string_view members, std::string_view name) {
  while (!members.empty()) {
    const std::size_t end = std::min(members.find(','), members.size());
    if (members.substr(0, end) == name) {
      return true;
    }
    members.remove_prefix(std::min(end + 1, members.size()));
  }
  return false;
}

void add_memberships(Identity& identity, std::string_view groups, std::string_view name) {
  for_each_line(groups, [&](std::string_view line) {
    const auto [group, password, gid_text, members] = split_fields<4>(line);
    const std::optional<std::uint32_t> gid = parse_id(gid_text);
    const auto end = identity.groups.end();
    if (gid && lists_member(members, name) &&
        std::find(identity.groups.begin(), end, *gid) == end) {
      identity.groups.push_back(*gid);
    }
    return false;
  });
}

Result<std::string> read_account_file(int root_fd, std::string_view path) {
  // Non-blocking: the image may have a pipe there.
  const Result<Fd> file = open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file && (file.error().os_errno() == ENOENT || file.error().os_errno() == ENOTDIR)) {
    return std::string();
  }
  if (!file) {
    return file.error();
  }
  const struct stat info = TRY(sys::fstat(file->get()));
  if (!S_ISREG(info.st_mode) || info.st_size > static_cast<off_t>(kMaxFile)) {
    return invalid_argument("/{} is not a regular file of at most {} bytes", path, kMaxFile);
  }
  return sys::read_to_end(file->get());
}

}  // namespace

Result<Identity> find_identity(std::string_view user, std::string_view passwd,
                               std::string_view group) {
  const auto [user_part, group_part] = split_fields<2>(user);
  const std::optional<PasswdEntry> entry = find_user(passwd, user_part);
  Identity identity;
  if (entry) {
    identity.uid = entry->uid;
    identity.gid = entry->gid;
    identity.home = entry->home.empty() ? "/" : std::string(entry->home);
  } else if (!user_part.empty()) {
    const std::optional<std::uint32_t> uid = parse_id(user_part);
    if (!uid) {
      return not_found("unable to find user {}: no matching entries in passwd file", user_part);
    }
    identity.uid = *uid;
  }
  if (!group_part.empty()) {
    const std::optional<gid_t> gid = find_group(group, group_part);
    if (!gid) {
      return not_found("unable to find group {}: no matching entries in group file", group_part);
    }
    identity.gid = *gid;
  }
  identity.groups.push_back(identity.gid);
  if (group_part.empty() && entry) {
    add_memberships(identity, group, entry->name);
  }
  return identity;
}

Result<Identity> find_identity_in_root(int root_fd, std::string_view user) {
  const std::string passwd = TRY(read_account_file(root_fd, "etc/passwd"));
  const std::string group = TRY(read_account_file(root_fd, "etc/group"));
  return find_identity(user, passwd, group);
}

}  // namespace mybuild::sandbox

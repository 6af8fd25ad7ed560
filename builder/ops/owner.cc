// SPDX-License-Identifier: Apache-2.0
#include "builder/ops/owner.h"

#include <charconv>
#include <cstdint>

namespace mybuild::ops {

namespace {

constexpr std::size_t kMaxDatabase = 10 << 20;  // as BuildKit

/// As Go's ParseInt(…, 10, 32): what is larger is a name. -1 is chown(2)'s "leave it", so root's.
std::optional<std::uint32_t> number(std::string_view text) {
  text.remove_prefix(text.starts_with('+') && !text.starts_with("+-") ? 1 : 0);
  std::int32_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || text.empty()) {
    return std::nullopt;
  }
  return value == -1 ? 0 : static_cast<std::uint32_t>(value);
}

std::string_view trim(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos
             ? std::string_view()
             : line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

/// Field `index` of a colon-separated line; empty when there are fewer.
std::string_view field(std::string_view line, std::size_t index) {
  for (; index > 0; --index) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return {};
    }
    line.remove_prefix(colon + 1);
  }
  return line.substr(0, line.find(':'));
}

/// The line of a database file that starts with `name`; a missing or strange file has none.
Result<std::optional<std::string>> find_line(const snapshotter::TreeView& tree,
                                             std::string_view path, std::string_view name) {
  const std::optional<std::string> text = TRY(tree.read_small(path, kMaxDatabase));
  if (!text) {
    return std::optional<std::string>();
  }
  for (std::string_view rest = *text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = trim(rest.substr(0, end));
    if (field(line, 0) == name) {
      return std::optional(std::string(line));
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return std::optional<std::string>();
}

void report_unknown(std::optional<std::string>* unknown, std::string_view name) {
  if (unknown != nullptr && !*unknown) {
    *unknown = std::string(name);
  }
}

}  // namespace

Result<Ids> resolve_owner(const std::string& text, const snapshotter::TreeView& tree,
                          std::optional<std::string>* unknown) {
  const std::size_t colon = text.find(':');
  const std::string_view user = std::string_view(text).substr(0, colon);
  Ids ids;
  if (const std::optional<std::uint32_t> uid = number(user)) {
    ids.uid = *uid;
    ids.gid = *uid;
  } else if (!user.empty()) {
    const std::optional<std::string> line = TRY(find_line(tree, "etc/passwd", user));
    if (line) {
      ids.uid = number(field(*line, 2)).value_or(0);
      ids.gid = number(field(*line, 3)).value_or(0);
    } else {
      report_unknown(unknown, user);
    }
  }
  if (colon == std::string::npos) {
    return ids;
  }
  const std::string_view group = std::string_view(text).substr(colon + 1);
  if (const std::optional<std::uint32_t> gid = number(group)) {
    ids.gid = *gid;
    return ids;
  }
  const std::optional<std::string> line = TRY(find_line(tree, "etc/group", group));
  if (line || group.empty()) {
    ids.gid = line ? number(field(*line, 2)).value_or(0) : 0;
  } else {
    report_unknown(unknown, group);
  }
  return ids;
}

}  // namespace mybuild::ops

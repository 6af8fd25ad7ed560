// SPDX-License-Identifier: Apache-2.0
#include "frontend/remote/git_query.h"

#include "frontend/remote/git_url.h"
#include "frontend/remote/url_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace mybuild::frontend {

namespace {

/// While the query is read: tag and branch are no refs yet, and who said what does not matter.
struct Draft {
  GitOptions options;
  std::string tag;
  std::string branch;
  bool fetch_by_commit = false;
};

std::string printable(std::string_view text) {
  return has_control(text) ? encode_unsafe(text) : std::string(text);
}

bool is_switch(std::string_view key) {
  return key == "submodules" || key == "keep-git-dir" || key == "fetch-by-commit";
}

Result<bool> parse_switch(std::string_view key, std::string_view value) {
  constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "FALSE", "false", "False"};
  if (value.empty() || std::find(kTrue.begin(), kTrue.end(), value) != kTrue.end()) {
    return true;
  }
  if (std::find(kFalse.begin(), kFalse.end(), value) != kFalse.end()) {
    return false;
  }
  return invalid_argument("invalid {} value: \"{}\"", key, printable(value))
      .with_hint("it can be true or false");
}

/// Two places may say the same, but not different things.
Status agree(std::string_view what, std::string& known, std::string_view value) {
  if (!known.empty() && known != value) {
    return invalid_argument("{} conflicts: \"{}\" vs \"{}\"", what, printable(known),
                            printable(value));
  }
  known = value;
  return {};
}

Status take_switch(Draft& draft, std::string_view key, std::string_view value) {
  const bool on = TRY(parse_switch(key, value));
  if (key == "submodules") {
    draft.options.submodules = on;
  } else if (key == "keep-git-dir") {
    draft.options.keep_git_dir = on;
  } else {
    draft.fetch_by_commit = on;
  }
  return {};
}

Status take(Draft& draft, std::string_view key, std::string_view value) {
  if (is_switch(key)) {
    return take_switch(draft, key, value);
  }
  if (value.empty()) {
    return invalid_argument("query \"{}\" has no value", printable(key));
  }
  if (key == "ref") {
    return agree("ref", draft.options.ref, value);
  }
  if (key == "subdir") {
    return agree("subdir", draft.options.subdir, value);
  }
  if (key == "checksum" || key == "commit") {
    const std::string checksum = TRY(parse_git_checksum(value));
    return agree("checksum", draft.options.checksum, checksum);
  }
  if (key == "tag" || key == "branch") {
    (key == "tag" ? draft.tag : draft.branch) = value;
    return {};
  }
  if (key != "mtime") {
    return invalid_argument("unexpected query \"{}\"", printable(key))
        .with_hint(
            "it can be ref, tag, branch, subdir, checksum, commit, keep-git-dir, "
            "submodules, mtime, fetch-by-commit");
  }
  // Files of a checkout carry the commit's time here, whatever is asked for.
  if (value != "checkout" && value != "commit") {
    return invalid_argument("invalid mtime value: \"{}\"", printable(value))
        .with_hint("it can be checkout or commit");
  }
  return {};
}

Status read_query(std::string_view query, Draft& draft) {
  std::set<std::string> seen;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view field = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (field.empty()) {
      continue;
    }
    const auto equals = std::min(field.find('='), field.size());
    const auto key = percent_decode(field.substr(0, equals), true);
    const auto value = percent_decode(field.substr(std::min(equals + 1, field.size())), true);
    if (!key || !value || field.find(';') != std::string_view::npos) {
      return invalid_argument("malformed query field \"{}\"", printable(field));
    }
    if (!seen.insert(*key).second) {
      return invalid_argument("query \"{}\" has multiple values", printable(*key));
    }
    TRY(take(draft, *key, *value));
  }
  return {};
}

std::string with_prefix(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

bool is_full_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status join_refs(Draft& draft) {
  if (!draft.tag.empty()) {
    TRY(agree("ref", draft.options.ref, with_prefix("refs/tags/", draft.tag)));
  }
  if (!draft.branch.empty() && !draft.tag.empty()) {
    return invalid_argument("branch conflicts with tag").with_hint("name one of them");
  }
  if (!draft.branch.empty()) {
    TRY(agree("ref", draft.options.ref, with_prefix("refs/heads/", draft.branch)));
  }
  if (draft.options.ref.empty() && is_full_commit(draft.options.checksum)) {
    draft.options.ref = draft.options.checksum;
  }
  return {};
}

/// What git check-ref-format lets pass, and nothing that is a refspec or an option.
Status check_ref(std::string_view ref) {
  const bool is_bad = has_control(ref) || ref.find_first_of(" ~^:?*[\\") != ref.npos ||
                      ref.find("..") != ref.npos || ref.find("@{") != ref.npos ||
                      ref.find("//") != ref.npos || ref.starts_with('-') || ref.starts_with('+') ||
                      ref.starts_with('/') || ref.ends_with('/') || ref.ends_with('.');
  if (is_bad) {
    return invalid_argument("invalid ref \"{}\"", printable(ref))
        .with_hint("name a branch, a tag or a commit");
  }
  return {};
}

/// Cleaned as a path below the root of the repository, so that ".." ends there, as BuildKit has it.
Result<std::string> clean_subdir(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = path; !rest.empty();) {
    const auto end = std::min(rest.find('/'), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (has_control(part)) {
      return invalid_argument("invalid subdir \"{}\"", printable(path))
          .with_hint("name a directory of the repository");
    }
    if (part == ".." && !parts.empty()) {
      parts.pop_back();
    } else if (!part.empty() && part != "." && part != "..") {
      parts.push_back(part);
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

}  // namespace

Result<GitOptions> parse_git_options(std::string_view fragment, std::string_view query) {
  Draft draft;
  const auto colon = std::min(fragment.find(':'), fragment.size());
  draft.options.ref = fragment.substr(0, colon);
  draft.options.subdir = fragment.substr(std::min(colon + 1, fragment.size()));
  TRY(read_query(query, draft));
  TRY(join_refs(draft));
  GitOptions& options = draft.options;
  TRY(check_ref(options.ref));
  options.subdir = TRY(clean_subdir(options.subdir));
  if (draft.fetch_by_commit && !is_full_commit(options.ref) && !is_full_commit(options.checksum)) {
    return invalid_argument("fetch-by-commit needs a full commit id")
        .with_hint("give all of its hex digits as ref or checksum");
  }
  return std::move(draft.options);
}

}  // namespace mybuild::frontend

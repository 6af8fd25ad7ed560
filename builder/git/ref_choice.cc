// SPDX-License-Identifier: Apache-2.0
#include "builder/git/ref_choice.h"

#include "snapshotter/base/edit_distance.h"

#include <algorithm>
#include <cctype>

namespace mybuild::git {

namespace {

constexpr std::size_t kIdSize = 40;
constexpr std::size_t kShortestChecksum = 7;
constexpr std::size_t kNamesCompared = 20000;
constexpr std::size_t kNamesShown = 3;
constexpr std::size_t kLongestCompared = 100;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string with_prefix(std::string_view prefix, const std::string& name) {
  return name.starts_with(prefix) ? name : std::string(prefix) + name;
}

const AdvertisedRef* find(std::span<const AdvertisedRef> refs, const std::string& name) {
  const auto found = std::find_if(refs.begin(), refs.end(),
                                  [&name](const AdvertisedRef& ref) { return ref.name == name; });
  return found == refs.end() ? nullptr : &*found;
}

ChosenRef chosen(std::span<const AdvertisedRef> refs, const AdvertisedRef& ref) {
  ChosenRef choice{.name = ref.name, .object = ref.object, .commit = ref.object};
  if (const AdvertisedRef* peeled = find(refs, ref.name + "^{}")) {
    choice.commit = peeled->object;
  }
  return choice;
}

std::string short_name(std::string_view name) {
  for (const std::string_view prefix : {"refs/heads/", "refs/tags/"}) {
    if (name.starts_with(prefix)) {
      return std::string(name.substr(prefix.size()));
    }
  }
  return "";
}

/// Names that need few changes to be what was said, or hold it.
std::string close_names(std::span<const AdvertisedRef> refs, const std::string& wanted) {
  const std::string said =
      wanted.starts_with("refs/") && !short_name(wanted).empty() ? short_name(wanted) : wanted;
  std::vector<std::pair<std::size_t, std::string>> close;
  for (const AdvertisedRef& ref : refs.first(std::min(refs.size(), kNamesCompared))) {
    const std::string name = short_name(ref.name);
    if (name.empty() || name.ends_with("^{}") || name.size() > kLongestCompared ||
        said.size() > kLongestCompared) {
      continue;
    }
    const std::size_t distance = edit_distance(said, name);
    const bool holds = said.size() > 2 && name.find(said) != std::string::npos;
    if (distance <= std::max<std::size_t>(1, said.size() / 3) || holds) {
      close.emplace_back(distance, name);
    }
  }
  std::sort(close.begin(), close.end());
  close.erase(std::unique(close.begin(), close.end()), close.end());
  std::string list;
  for (std::size_t i = 0; i < close.size() && i < kNamesShown; ++i) {
    list += (i == 0 ? "" : i + 1 < std::min(close.size(), kNamesShown) ? ", " : " or ");
    list += close[i].second;
  }
  return list;
}

Result<ChosenRef> choose_head(std::span<const AdvertisedRef> refs) {
  const AdvertisedRef* head = find(refs, "HEAD");
  if (head == nullptr) {
    return not_found("the repository has no HEAD: it is empty, or its HEAD names no branch it has")
        .with_hint("name a branch, a tag or a commit after '#'");
  }
  ChosenRef choice = chosen(refs, *head);
  if (!head->symref.empty() && head->symref.starts_with("refs/heads/")) {
    choice.name = head->symref;
  }
  return choice;
}

}  // namespace

bool is_commit_id(std::string_view text) {
  return text.size() == kIdSize && is_hex(text);
}

Result<ChosenRef> choose_ref(std::span<const AdvertisedRef> refs, const std::string& wanted) {
  if (wanted.empty()) {
    return choose_head(refs);
  }
  const std::string names[] = {with_prefix("refs/", wanted), with_prefix("refs/heads/", wanted),
                               with_prefix("refs/tags/", wanted)};
  for (const std::string& name : names) {
    if (const AdvertisedRef* ref = find(refs, name)) {
      return chosen(refs, *ref);
    }
  }
  if (wanted == "HEAD") {
    return choose_head(refs);
  }
  const std::string close = close_names(refs, wanted);
  Error error = not_found("the repository has no branch, tag or ref '{}'", wanted);
  if (!close.empty()) {
    return std::move(error).with_hint(fmt::format("did you mean {}?", close));
  }
  if (wanted.size() >= kShortestChecksum && wanted.size() < kIdSize && is_hex(wanted)) {
    return std::move(error).with_hint("a commit must be given with all its 40 digits");
  }
  return error;
}

Status check_commit(const std::string& checksum, const ChosenRef& ref) {
  if (checksum.empty()) {
    return {};
  }
  std::string prefix = checksum;
  std::transform(prefix.begin(), prefix.end(), prefix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!is_hex(prefix) || prefix.size() < kShortestChecksum || prefix.size() > kIdSize) {
    return invalid_argument("checksum {}: no commit", checksum)
        .with_hint("give 7 to 40 hexadecimal digits");
  }
  if (ref.commit.starts_with(prefix) || ref.object.starts_with(prefix)) {
    return {};
  }
  return data_loss("the commit is {}, the checksum says {}", ref.commit, checksum)
      .with_hint("the ref was moved, or the checksum is of another commit");
}

}  // namespace mybuild::git

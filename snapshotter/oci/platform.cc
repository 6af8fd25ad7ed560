// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/oci/platform.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <vector>

namespace mybuild::oci {

namespace {

constexpr std::string_view kKnownOs[] = {
    "aix",   "android", "darwin",  "dragonfly", "freebsd", "hurd",   "illumos", "ios", "js",
    "linux", "netbsd",  "openbsd", "plan9",     "solaris", "wasip1", "windows", "zos"};
constexpr std::string_view kKnownArchitectures[] = {
    "386",      "amd64",  "arm",   "arm64",   "loong64", "mips",  "mips64",
    "mips64le", "mipsle", "ppc64", "ppc64le", "riscv64", "s390x", "wasm"};

/// Names that other tools use for an architecture, and what they mean. An empty variant keeps the
/// one given.
struct Alias {
  std::string_view name;
  std::string_view architecture;
  std::string_view variant;
};
constexpr Alias kAliases[] = {
    {"i386", "386", ""},      {"x86_64", "amd64", ""},       {"x86-64", "amd64", ""},
    {"aarch64", "arm64", ""}, {"armhf", "arm", "v7"},        {"armel", "arm", "v6"},
    {"armv8l", "arm", "v7"},  {"armv7l", "arm", "v7"},       {"armv6l", "arm", "v6"},
    {"i686", "386", ""},      {"loongarch64", "loong64", ""}};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

template <class List>
bool contains(const List& list, std::string_view item) {
  return std::find(std::begin(list), std::end(list), item) != std::end(list);
}

void normalise_variant(Platform& platform) {
  std::string& variant = platform.variant;
  if (!variant.empty() && variant.front() >= '0' && variant.front() <= '9') {
    variant.insert(0, "v");
  }
  if (platform.architecture == "arm" && variant.empty()) {
    variant = "v7";
  }
  // The one variant that everybody means when none is said.
  if ((platform.architecture == "arm64" && variant == "v8") ||
      (platform.architecture == "amd64" && variant == "v1")) {
    variant.clear();
  }
}

Platform normalise(Platform platform) {
  platform.os = lower(platform.os);
  if (platform.os == "macos") {
    platform.os = "darwin";
  }
  platform.architecture = lower(platform.architecture);
  platform.variant = lower(platform.variant);
  for (const Alias& alias : kAliases) {
    if (platform.architecture == alias.name) {
      platform.architecture = alias.architecture;
      if (platform.variant.empty()) {
        platform.variant = alias.variant;
      }
      break;
    }
  }
  normalise_variant(platform);
  return platform;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  });
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

Error bad_platform(std::string_view text) {
  return invalid_argument("\"{}\" is not a platform", text)
      .with_hint(
          "a platform is written os/architecture[/variant], as in linux/arm64 or linux/arm/v7");
}

/// Takes "(10.0.17763)" off the end of an operating system.
bool split_os_version(std::string_view& os, std::string& version) {
  const std::size_t open = os.find('(');
  if (open == std::string_view::npos) {
    return true;
  }
  if (!os.ends_with(')')) {
    return false;
  }
  version = os.substr(open + 1, os.size() - open - 2);
  os = os.substr(0, open);
  return is_word(version);
}

/// The architecture and then what its processors also run, best first (as containerd's
/// platforms.Only).
std::vector<Platform> runnable(const Platform& wanted) {
  std::vector<Platform> list{wanted};
  const auto add_older = [&](std::string_view architecture, int newest) {
    for (int level = newest; level >= (architecture == "arm" ? 5 : 1); --level) {
      Platform older = wanted;
      older.architecture = architecture;
      older.variant = fmt::format("v{}", level);
      list.push_back(normalise(std::move(older)));
    }
  };
  int level = 0;
  if (wanted.variant.size() > 1) {
    std::from_chars(wanted.variant.data() + 1, wanted.variant.data() + wanted.variant.size(),
                    level);
  }
  if (wanted.architecture == "arm") {
    add_older("arm", std::min(level, 9) - 1);
  } else if (wanted.architecture == "amd64") {
    add_older("amd64", std::min(level, 9) - 1);
    list.push_back(Platform{wanted.os, "386", "", wanted.os_version});
  } else if (wanted.architecture == "arm64") {
    if (!wanted.variant.empty()) {
      list.push_back(Platform{wanted.os, "arm64", "", wanted.os_version});
    }
    add_older("arm", 8);
  }
  return list;
}

/// "10.0.17763" serves "10.0.17763.1234" and the other way round, as Windows counts its revisions.
bool os_version_matches(std::string_view wanted, std::string_view offered) {
  const std::string_view shorter = wanted.size() < offered.size() ? wanted : offered;
  const std::string_view longer = wanted.size() < offered.size() ? offered : wanted;
  return longer.starts_with(shorter) &&
         (longer.size() == shorter.size() || shorter.empty() || longer[shorter.size()] == '.');
}

}  // namespace

Platform host_platform() {
  struct utsname name {};
  ::uname(&name);
  return normalise(Platform{"linux", name.machine, "", ""});
}

Result<Platform> parse_platform(std::string_view text) {
  std::vector<std::string_view> parts = split(text, '/');
  Platform platform;
  if (!split_os_version(parts[0], platform.os_version) || parts.size() > 3 ||
      !std::all_of(parts.begin(), parts.end(), is_word)) {
    return bad_platform(text);
  }
  if (parts.size() > 1) {
    platform.os = parts[0];
    platform.architecture = parts[1];
    platform.variant = parts.size() > 2 ? parts[2] : "";
    return normalise(std::move(platform));
  }
  platform.os = parts[0];
  platform = normalise(std::move(platform));
  const Platform host = host_platform();
  if (contains(kKnownOs, platform.os)) {
    return Platform{platform.os, host.architecture, host.variant, platform.os_version};
  }
  Platform of_host = normalise(Platform{host.os, std::string(parts[0]), "", ""});
  if (!contains(kKnownArchitectures, of_host.architecture)) {
    return bad_platform(text);
  }
  return of_host;
}

std::string to_string(const Platform& platform) {
  std::string text = platform.os;
  if (!platform.os_version.empty()) {
    text += "(" + platform.os_version + ")";
  }
  text += "/" + platform.architecture;
  if (!platform.variant.empty()) {
    text += "/" + platform.variant;
  }
  return text;
}

int match_score(const Platform& wanted, const Platform& offered) {
  const std::vector<Platform> list = runnable(normalise(wanted));
  const Platform candidate = normalise(offered);
  if (!os_version_matches(wanted.os_version, candidate.os_version)) {
    return 0;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].os == candidate.os && list[i].architecture == candidate.architecture &&
        list[i].variant == candidate.variant) {
      return static_cast<int>(list.size() - i);
    }
  }
  return 0;
}

std::optional<std::size_t> best_match(const Platform& wanted, std::span<const Platform> offered) {
  std::optional<std::size_t> best;
  int best_score = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const int score = match_score(wanted, offered[i]);
    if (score > best_score) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

}  // namespace mybuild::oci

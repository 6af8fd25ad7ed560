// SPDX-License-Identifier: Apache-2.0
// Settings: which cache server a build uses and how, from the command line, the environment and the
// user's file: <config>/mybuild/config.json, where <config> is $XDG_CONFIG_HOME or ~/.config:
//   {"cacheServer": {"url": …, "token": …, "flush": …, "keys": {"team/main": "ed25519:…"}}}
// What the file says of a token or of keys is for the server of its own URL alone; keys without a
// URL are for whichever server is used. Value types.
#pragma once

#include "builder/cache_client/address.h"
#include "builder/cache_server/protocol/signature.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::cache_client {

/// What happens at the end of a build with steps that are not published yet.
struct Flush {
  enum class How {
    Wait,        // for `time` at most
    Background,  // a process of its own goes on with them
    Off,         // nothing is published at all
  };
  How how = How::Wait;
  std::chrono::milliseconds time = std::chrono::seconds(30);
  bool is_asked = false;  // so long by the user's wish; else a short build waits less
  bool operator==(const Flush&) const = default;
};
/// "wait:30s", "wait", "background" or "off".
Result<Flush> parse_flush(std::string_view text);
std::string to_string(const Flush& flush);

/// What the command line says. "off" as a URL: no server, whatever else is said.
struct Wish {
  std::string url;
  std::optional<Flush> flush;
};

/// Where the rest is said. A file that is not there says nothing.
struct SettingPlaces {
  std::string url;        // $MYBUILD_CACHE_SERVER
  std::string token;      // $MYBUILD_CACHE_TOKEN
  std::string directory;  // of the user's files: config.json, cache-keys.json; may be empty
  static SettingPlaces from_environment();
};

struct Settings {
  ServerAddress address;
  std::string token;                                    // "": to be looked for elsewhere
  std::map<std::string, cache_server::PublicKey> keys;  // by namespace, as the user pinned them
  std::string pins_file;  // of keys that were seen first in use; "": nowhere
  Flush flush;
};

/// nullopt when no server is wanted. An error names the file or variable that cannot be meant so.
/// `warn`, unless empty, hears of fields of the file that mean nothing, maybe misspelt ones.
Result<std::optional<Settings>> find_settings(
    const Wish& wish, const SettingPlaces& places,
    const std::function<void(std::string message)>& warn = {});

}  // namespace mybuild::cache_client

// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/settings.h"

#include "frontend/dockerfile/go_format.h"
#include "frontend/dockerfile/suggest.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <vector>

namespace mybuild::cache_client {

namespace {

constexpr std::size_t kMaxFile = 1 << 20;
constexpr std::string_view kNone = "off";

using Warn = std::function<void(std::string message)>;

struct FileSettings {
  std::string url;
  std::string token;
  std::string flush;
  std::map<std::string, cache_server::PublicKey> keys;
};

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// Their names, in no order that matters.
std::vector<std::string> unknown_fields(const Json& object, std::span<const std::string> known) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      unknown.push_back(name);
    }
  }
  return unknown;
}

/// A field that is ignored in silence is a token or a key that somebody thinks is used.
void warn_of_unknown(const Json& json, const std::string& path, const Warn& warn) {
  static const std::vector<std::string> kTop = {"cacheServer"};
  static const std::vector<std::string> kServer = {"url", "token", "flush", "keys"};
  const auto tell = [&](const Json& object, const std::string& prefix,
                        const std::vector<std::string>& known) {
    for (const std::string& name : unknown_fields(object, known)) {
      const std::string guess = frontend::did_you_mean(name, known);
      warn(fmt::format("{}: \"{}{}\" means nothing{}", path, prefix, name,
                       guess.empty() ? "" : "; " + guess));
    }
  };
  tell(json, "", kTop);
  if (const auto server = json.find("cacheServer"); server != json.end()) {
    tell(*server, "cacheServer.", kServer);
  }
}

Result<FileSettings> parse_file(std::string_view text, const std::string& path, const Warn& warn) {
  const Json json = TRY(parse_json(text));
  const JsonField server = TRY(JsonField(json, "").field("cacheServer"));
  FileSettings settings;
  const JsonField url = TRY(server.field("url"));
  const JsonField token = TRY(server.field("token"));
  const JsonField flush = TRY(server.field("flush"));
  const JsonField keys = TRY(server.field("keys"));
  settings.url = TRY(url.string_or(""));
  settings.token = TRY(token.string_or(""));
  settings.flush = TRY(flush.string_or(""));
  for (const auto& [space, key] : TRY(keys.string_map())) {
    settings.keys[space] =
        TRY(cache_server::parse_public_key(key).context("cacheServer.keys." + space));
  }
  if (warn) {
    warn_of_unknown(json, path, warn);
  }
  return settings;
}

Result<FileSettings> read_settings(const SettingPlaces& places, const Warn& warn) {
  if (places.directory.empty()) {
    return FileSettings();
  }
  const std::string path = join_path(places.directory, "config.json");
  const Result<std::string> text = read_regular_file(AT_FDCWD, path, kMaxFile);
  if (!text) {
    const bool is_missing = text.error().os_errno() == ENOENT || text.error().os_errno() == ENOTDIR;
    return is_missing ? Result<FileSettings>(FileSettings()) : Result<FileSettings>(text.error());
  }
  return parse_file(*text, path, warn).context(path);
}

/// Of the flag, the variable and the file the first that says something.
struct Chosen {
  std::string url;
  std::string source;
};
Chosen choose(const Wish& wish, const SettingPlaces& places, const FileSettings& file) {
  if (!wish.url.empty()) {
    return {.url = wish.url, .source = "--cache-server"};
  }
  if (!places.url.empty()) {
    return {.url = places.url, .source = "$MYBUILD_CACHE_SERVER"};
  }
  return {.url = file.url, .source = join_path(places.directory, "config.json")};
}

bool is_same_server(const ServerAddress& one, const std::string& other) {
  const Result<ServerAddress> parsed = parse_address(other);
  return parsed && parsed->origin == one.origin && parsed->socket == one.socket;
}

/// Keys are no secret, so those without a URL are for whichever server is used. A token goes to the
/// server of its own URL or to none. Who thinks that a pin counts has to hear that it does not.
void take_from_file(const FileSettings& file, const Chosen& chosen, const std::string& path,
                    const Warn& warn, Settings& settings) {
  const bool is_of_file = !file.url.empty() && is_same_server(settings.address, file.url);
  if (is_of_file && settings.token.empty()) {
    settings.token = file.token;
  }
  if (is_of_file || file.url.empty()) {
    settings.keys = file.keys;
  }
  if (!warn || is_of_file) {
    return;
  }
  if (!file.url.empty() && !file.keys.empty()) {
    warn(fmt::format("{}: its keys are for {} and not for {}, which {} names: they do not count",
                     path, file.url, chosen.url, chosen.source));
  }
  if (file.url.empty() && !file.token.empty()) {
    warn(fmt::format("{}: its token has no \"url\" beside it, so no server gets it", path));
  }
}

}  // namespace

Result<Flush> parse_flush(std::string_view text) {
  constexpr std::string_view kWait = "wait:";
  if (text == "background") {
    return Flush{.how = Flush::How::Background};
  }
  if (text == "off") {
    return Flush{.how = Flush::How::Off};
  }
  if (text == "wait") {
    return Flush{};
  }
  const auto time = text.starts_with(kWait)
                        ? frontend::parse_go_duration(text.substr(kWait.size()))
                        : Result<std::chrono::nanoseconds>(invalid_argument("no time"));
  if (!time || time->count() < 0) {
    return invalid_argument("\"{}\" says not what to do with what is not published yet", text)
        .with_hint("use wait:30s, background or off");
  }
  return Flush{.how = Flush::How::Wait,
               .time = std::chrono::duration_cast<std::chrono::milliseconds>(*time),
               .is_asked = true};
}

std::string to_string(const Flush& flush) {
  switch (flush.how) {
    case Flush::How::Wait:
      return fmt::format("wait:{}ms", flush.time.count());
    case Flush::How::Background:
      return "background";
    case Flush::How::Off:
      return "off";
  }
  return {};
}

SettingPlaces SettingPlaces::from_environment() {
  SettingPlaces places;
  places.url = variable("MYBUILD_CACHE_SERVER");
  places.token = variable("MYBUILD_CACHE_TOKEN");
  const std::string xdg = variable("XDG_CONFIG_HOME");
  const std::string home = variable("HOME");
  if (!xdg.empty()) {
    places.directory = join_path(xdg, "mybuild");
  } else if (!home.empty()) {
    places.directory = join_path(home, ".config/mybuild");
  }
  return places;
}

Result<std::optional<Settings>> find_settings(const Wish& wish, const SettingPlaces& places,
                                              const Warn& warn) {
  if (wish.url == kNone || (wish.url.empty() && places.url == kNone)) {
    return std::optional<Settings>();
  }
  const FileSettings file = TRY(read_settings(places, warn));
  const Chosen chosen = choose(wish, places, file);
  if (chosen.url.empty() || chosen.url == kNone) {
    return std::optional<Settings>();
  }
  Settings settings;
  settings.address = TRY(parse_address(chosen.url).context(chosen.source));
  settings.token = places.token;
  take_from_file(file, chosen, join_path(places.directory, "config.json"), warn, settings);
  if (!places.directory.empty()) {
    settings.pins_file = join_path(places.directory, "cache-keys.json");
  }
  if (wish.flush) {
    settings.flush = *wish.flush;
  } else if (!file.flush.empty()) {
    settings.flush =
        TRY(parse_flush(file.flush).context(join_path(places.directory, "config.json")));
  }
  return std::optional(std::move(settings));
}

}  // namespace mybuild::cache_client

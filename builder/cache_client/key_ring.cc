// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/key_ring.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"

#include <cerrno>

namespace mybuild::cache_client {

namespace {

using solver::Warning;

using Servers = std::map<std::string, KeyMap>;

Result<Servers> parse_servers(const std::string& text) {
  const Json json = TRY(parse_json(text));
  Servers servers;
  for (const auto& [server, spaces] : TRY(JsonField(json, "").members())) {
    for (const auto& [space, key] : TRY(spaces.string_map())) {
      servers[server][space] = TRY(cache_server::parse_public_key(key));
    }
  }
  return servers;
}

Result<Servers> read_servers(const std::string& path) {
  const Result<std::string> text = read_note(path);
  if (!text) {
    return text.error().os_errno() == ENOENT ? Result<Servers>(Servers())
                                             : Result<Servers>(text.error());
  }
  return parse_servers(*text);
}

Status write_servers(const std::string& path, const Servers& servers) {
  Json json = Json::object();
  for (const auto& [server, spaces] : servers) {
    for (const auto& [space, key] : spaces) {
      json[server][space] = cache_server::to_string(key);
    }
  }
  AtomicFile file = TRY(AtomicFile::create(path, 0600));
  TRY(file.write(as_bytes(json.dump(2) + "\n")));
  return std::move(file).commit();
}

}  // namespace

std::vector<Warning> KeyRing::meet(const KeyMap& said) {
  const std::lock_guard lock(mutex_);
  std::vector<Warning> warnings;
  if (!given_.empty()) {
    compare(said, given_, warnings);
    return warnings;
  }
  Result<std::vector<Warning>> met = meet_noted(said);
  if (met) {
    return std::move(met).value();
  }
  warnings.push_back(
      {.message = "keys of the cache server " + server_ +
                  " cannot be noted, so its records are not used: " + met.error().message(),
       .detail = "pin them in config.json: cacheServer.keys",
       .location = {}});
  good_.clear();
  return warnings;
}

Result<std::vector<Warning>> KeyRing::meet_noted(const KeyMap& said) {
  std::vector<Warning> warnings;
  if (path_.empty()) {
    KeyMap known = good_;
    known.insert(said.begin(), said.end());
    compare(said, known, warnings);
    return warnings;
  }
  TRY(make_dirs(path_.substr(0, path_.rfind('/')), 0700));
  const FileLock lock = TRY(FileLock::acquire(path_ + ".lock", FileLock::Mode::Exclusive));
  Servers servers = TRY(read_servers(path_).context(path_));
  KeyMap& known = servers[server_];
  bool is_new = false;
  for (const auto& [space, key] : said) {
    if (known.emplace(space, key).second) {
      is_new = true;
      warnings.push_back(
          {.message = fmt::format("the records of namespace {} of the cache server {} are believed "
                                  "from now on by its key {}",
                                  space, server_, cache_server::to_string(key)),
           .detail = "compare it with what its administrator says; it is noted in " + path_,
           .location = {}});
    }
  }
  if (is_new) {
    TRY(write_servers(path_, servers));
  }
  compare(said, known, warnings);
  return warnings;
}

void KeyRing::compare(const KeyMap& said, const KeyMap& known, std::vector<Warning>& warnings) {
  for (const auto& [space, key] : said) {
    const auto pinned = known.find(space);
    if (pinned != known.end() && pinned->second == key) {
      good_[space] = key;
      continue;
    }
    good_.erase(space);
    has_changed_ = has_changed_ || pinned != known.end();
    if (!told_.insert(space).second) {
      continue;
    }
    const std::string shown = cache_server::to_string(key);
    warnings.push_back(
        pinned == known.end()
            ? Warning{.message = fmt::format("records of namespace {} of the cache server {} are "
                                             "not used: its key {} is not pinned",
                                             space, server_, shown),
                      .detail = "add it to cacheServer.keys in config.json if it is the right one",
                      .location = {}}
            : Warning{.message = fmt::format("the key of namespace {} of the cache server {} has "
                                             "changed to {}: its records are not used",
                                             space, server_, shown),
                      .detail = "if that is meant so, change the key that is pinned in " +
                                (given_.empty() ? path_ : std::string("config.json")),
                      .location = {}});
  }
}

bool KeyRing::has_changed() const {
  const std::lock_guard lock(mutex_);
  return has_changed_;
}

std::optional<cache_server::PublicKey> KeyRing::find(const std::string& space) const {
  const std::lock_guard lock(mutex_);
  const auto found = good_.find(space);
  return found == good_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace mybuild::cache_client

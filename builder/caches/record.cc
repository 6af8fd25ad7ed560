// SPDX-License-Identifier: Apache-2.0
#include "builder/caches/record.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "snapshotter/base/sys.h"
#include "solver/key.h"

#include <cerrno>

namespace mybuild::caches {

namespace {

constexpr const char* kRecordFile = "record.json";
constexpr std::int64_t kMaxId = 0xffffffff;

Result<std::int64_t> number(const JsonField& top, const char* name, std::int64_t fallback,
                            std::int64_t limit) {
  const JsonField field = TRY(top.field(name));
  const std::int64_t value = TRY(field.integer_or(fallback));
  if (value < 0 || value > limit) {
    return field.error("a number from 0 to " + std::to_string(limit));
  }
  return value;
}

Result<CacheRecord> parse_record(const std::string& text) {
  const Json value = TRY(parse_json(text));
  const JsonField top(value, "record");
  CacheRecord record;
  record.identity = TRY(parse_identity(value));
  const std::string created = TRY(TRY(top.field("created")).string());
  const std::string last_used = TRY(TRY(top.field("last_used")).string());
  record.created = TRY(parse_rfc3339(created));
  record.last_used = TRY(parse_rfc3339(last_used));
  return record;
}

}  // namespace

std::string CacheIdentity::key() const {
  if (from.empty()) {
    return solver::KeyBuilder("mybuild.cache-mount.v1")
        .add(id)
        .add_number(uid)
        .add_number(gid)
        .add_number(mode)
        .finish()
        .hex();
  }
  return solver::KeyBuilder("mybuild.cache-mount-from.v1")
      .add(id)
      .add(source)
      .add(from)
      .finish()
      .hex();
}

std::string CacheIdentity::described() const {
  return from.empty() ? fmt::format("uid={},gid={},mode={:04o}", uid, gid, mode)
                      : fmt::format("source={} of {:.19}", source, from);
}

Json to_json(const CacheIdentity& identity) {
  return Json{{"id", identity.id},         {"uid", identity.uid},
              {"gid", identity.gid},       {"mode", fmt::format("{:04o}", identity.mode)},
              {"source", identity.source}, {"from", identity.from}};
}

Result<CacheIdentity> parse_identity(const Json& value) {
  const JsonField top(value, "cache");
  CacheIdentity identity;
  identity.id = TRY(TRY(top.field("id")).string());
  identity.uid = static_cast<uid_t>(TRY(number(top, "uid", 0, kMaxId)));
  identity.gid = static_cast<gid_t>(TRY(number(top, "gid", 0, kMaxId)));
  identity.source = TRY(TRY(top.field("source")).string_or("/"));
  identity.from = TRY(TRY(top.field("from")).string_or(""));
  const JsonField mode_field = TRY(top.field("mode"));
  const std::string mode = TRY(mode_field.string_or("0755"));
  if (mode.empty() || mode.size() > 5 || mode.find_first_not_of("01234567") != std::string::npos) {
    return mode_field.error("an octal mode");
  }
  identity.mode = static_cast<mode_t>(std::stoul(mode, nullptr, 8)) & 07777U;
  return identity;
}

std::optional<CacheRecord> read_record(const std::string& cache_dir) {
  const Result<std::string> text = read_note(join_path(cache_dir, kRecordFile));
  if (!text) {
    return std::nullopt;
  }
  Result<CacheRecord> record = parse_record(*text);
  return record ? std::optional(std::move(*record)) : std::nullopt;
}

Status write_record(const std::string& cache_dir, const CacheRecord& record) {
  Json value = to_json(record.identity);
  value["created"] = format_rfc3339(record.created);
  value["last_used"] = format_rfc3339(record.last_used);
  const std::string text = value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  AtomicFile file = TRY(AtomicFile::create(join_path(cache_dir, kRecordFile), 0600));
  TRY(file.write(as_bytes(text)));
  return std::move(file).commit();
}

Status note_use(const std::string& cache_dir, const CacheIdentity& identity, Time now) {
  const std::optional<CacheRecord> before = read_record(cache_dir);
  return write_record(
      cache_dir,
      {.identity = identity, .created = before ? before->created : now, .last_used = now});
}

Result<std::vector<CacheIdentity>> namesakes(const std::string& dir,
                                             const CacheIdentity& identity) {
  std::vector<CacheIdentity> found;
  const Fd top = TRY(sys::open(dir, O_RDONLY | O_DIRECTORY));
  for (const std::string& key : TRY(sys::list_dir(top.get()))) {
    const std::optional<CacheRecord> record = read_record(join_path(dir, key));
    if (record && record->identity.id == identity.id && !(record->identity == identity)) {
      found.push_back(record->identity);
    }
  }
  return found;
}

}  // namespace mybuild::caches

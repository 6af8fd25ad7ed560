// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/protocol/record.h"

#include "builder/cache_server/protocol/wire.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/media_type.h"

#include <limits>

namespace mybuild::cache_server {

namespace {

constexpr std::string_view kDomain = "mybuild.record.v1";
constexpr std::uint64_t kAnySize = std::numeric_limits<std::int64_t>::max();

void append_framed(std::string& text, std::string_view field) {
  for (std::size_t shift = 0; shift < 64; shift += 8) {
    text += static_cast<char>((std::uint64_t{field.size()} >> shift) & 0xff);
  }
  text += field;
}

Result<oci::Descriptor> read_blob(const JsonField& field) {
  oci::Descriptor blob;
  blob.digest = TRY(read_key(TRY(field.field("digest"))));
  const JsonField media_type = TRY(field.field("mediaType"));
  blob.media_type = TRY(media_type.string());
  if (!oci::is_layer(blob.media_type)) {
    return media_type.error("the media type of a layer");
  }
  const JsonField size = TRY(field.field("size"));
  blob.size = TRY(read_number(size, kMaxLayerBytes));
  if (blob.size == 0) {
    return size.error("the size of a layer");
  }
  return blob;
}

Result<Time> read_time(const JsonField& field) {
  return parse_rfc3339(TRY(field.string())).context(field.path());
}

}  // namespace

Json to_json(const StepRecord& record) {
  return {{"definition", record.definition.str()},
          {"content", record.content.str()},
          {"inputs", to_json(record.inputs)},
          {"output", record.output.str()},
          {"diff_id", record.diff_id.str()},
          {"changes", record.changes.str()},
          {"size", record.size},
          {"blob",
           {{"mediaType", record.blob.media_type},
            {"digest", record.blob.digest.str()},
            {"size", record.blob.size}}},
          {"created", format_rfc3339(record.created)},
          {"cost_ms", record.cost_ms},
          {"step", record.step}};
}

Result<StepRecord> read_step_record(const JsonField& field) {
  StepRecord record;
  record.definition = TRY(read_key(TRY(field.field("definition"))));
  record.content = TRY(read_key(TRY(field.field("content"))));
  record.inputs = TRY(read_digests(TRY(field.field("inputs")), kMaxInputs));
  record.output = TRY(read_key(TRY(field.field("output"))));
  record.diff_id = TRY(read_key(TRY(field.field("diff_id"))));
  record.changes = TRY(read_digest(TRY(field.field("changes"))));
  record.size = TRY(read_number(TRY(field.field("size")), kAnySize));
  record.blob = TRY(read_blob(TRY(field.field("blob"))));
  record.created = TRY(read_time(TRY(field.field("created"))));
  record.cost_ms = TRY(read_number(TRY(field.field("cost_ms")), kMaxCostMs));
  record.step = TRY(read_text(TRY(field.field("step")), kMaxStepName));
  return record;
}

std::string dump(const StepRecord& record) {
  return canonical_dump(to_json(record));
}

Result<StepRecord> parse_step_record(std::string_view text) {
  if (text.size() > kMaxRecordBytes) {
    return invalid_argument("the record has {} bytes, more than {}", text.size(), kMaxRecordBytes);
  }
  const Json json = TRY(parse_message(text));
  return read_step_record(JsonField(json, ""));
}

std::string signed_text(std::string_view space, std::string_view body) {
  std::string text;
  append_framed(text, kDomain);
  append_framed(text, space);
  append_framed(text, body);
  return text;
}

}  // namespace mybuild::cache_server

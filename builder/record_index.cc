// SPDX-License-Identifier: Apache-2.0
#include "builder/record_index.h"

#include "snapshotter/base/json.h"

namespace mybuild::builder {

namespace {

using snapshotter::RecordRow;
using solver::CacheRecord;

/// The layer that a step left, where the op's part names one (ops/trees.cc): the record goes with
/// it.
std::optional<Digest> layer_of(const CacheRecord& record) {
  const Result<Json> json = parse_json(record.body);
  if (!json || !json->is_object() || !json->contains("diff_id") ||
      !(*json)["diff_id"].is_string()) {
    return std::nullopt;
  }
  const Result<Digest> layer = Digest::parse((*json)["diff_id"].get<std::string>());
  return layer ? std::optional(*layer) : std::nullopt;
}

/// The row's body holds what has no column of its own: the inputs, and the op's part as a string.
std::string encode_body(const CacheRecord& record) {
  Json inputs = Json::array();
  for (const solver::OutputId& input : record.inputs) {
    inputs.push_back(input.digest.str());
  }
  return canonical_dump(Json{{"inputs", std::move(inputs)}, {"op", record.body}});
}

Result<CacheRecord> decode_row(const RecordRow& row) {
  const Json json = TRY(parse_json(row.body));
  const JsonField root(json, "");
  const JsonField inputs = TRY(root.field("inputs"));
  const JsonField op = TRY(root.field("op"));
  CacheRecord record{.definition = {row.definition_key},
                     .content = {row.content_key},
                     .inputs = {},
                     .output = {row.output},
                     .body = {}};
  record.body = TRY(op.string());
  for (const std::string& text : TRY(inputs.strings())) {
    const Digest digest = TRY(Digest::parse(text));
    record.inputs.push_back({digest});
  }
  return record;
}

class RecordIndex final : public solver::CacheIndex {
 public:
  RecordIndex(snapshotter::Metadata& metadata, const Clock& clock)
      : metadata_(metadata), clock_(clock) {}

  Result<std::vector<std::vector<CacheRecord>>> find_all(
      std::span<const solver::DefinitionKey> keys) override {
    std::vector<Digest> digests;
    digests.reserve(keys.size());
    for (const solver::DefinitionKey& key : keys) {
      digests.push_back(key.digest);
    }
    std::vector<std::vector<CacheRecord>> answers;
    for (std::vector<RecordRow>& rows : TRY(metadata_.find_records_by_definition(digests))) {
      answers.push_back(decode(rows));
    }
    return answers;
  }
  Result<std::vector<CacheRecord>> find(const solver::ContentKey& key) override {
    return decode(TRY(metadata_.find_records_by_content(key.digest)));
  }
  Result<std::vector<CacheRecord>> find(const solver::OutputId& output) override {
    return decode(TRY(metadata_.find_records_by_output(output.digest)));
  }
  Status add(const CacheRecord& record) override { return metadata_.put_record(row_of(record)); }

  Status add_all(std::span<const CacheRecord> records) override {
    std::vector<RecordRow> rows;
    for (const CacheRecord& record : records) {
      rows.push_back(row_of(record));
    }
    return rows.empty() ? Status() : metadata_.put_records(rows);
  }

 private:
  RecordRow row_of(const CacheRecord& record) const {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch());
    return {.definition_key = record.definition.digest,
            .content_key = record.content.digest,
            .output = record.output.digest,
            .body = encode_body(record),
            .created = seconds.count(),
            .layer = layer_of(record)};
  }

  /// A row that cannot be read is a miss, not an error: it was written by another version, or
  /// damaged.
  static std::vector<CacheRecord> decode(const std::vector<RecordRow>& rows) {
    std::vector<CacheRecord> records;
    for (const RecordRow& row : rows) {
      if (Result<CacheRecord> record = decode_row(row)) {
        records.push_back(std::move(record).value());
      }
    }
    return records;
  }

  snapshotter::Metadata& metadata_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<solver::CacheIndex> make_record_index(snapshotter::Metadata& metadata,
                                                      const Clock& clock) {
  return std::make_unique<RecordIndex>(metadata, clock);
}

}  // namespace mybuild::builder

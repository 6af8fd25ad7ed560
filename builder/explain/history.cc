// SPDX-License-Identifier: Apache-2.0
#include "builder/explain/history.h"

#include "builder/explain/explain.h"
#include "snapshotter/archive/codec.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <map>

namespace mybuild::explain {

namespace {

using snapshotter::BuildRow;
using snapshotter::BuildTables;

constexpr std::size_t kLargestPart = std::size_t{256} << 20U;
constexpr std::size_t kNamedBuilds = 3;
constexpr std::size_t kIdLength = 12;
constexpr char kFound = static_cast<char>(StepState::HitByDefinition);
constexpr char kSource = static_cast<char>(StepState::Source);
constexpr char kNotNeeded = static_cast<char>(StepState::NotNeeded);

Result<std::string> pack(std::string_view text) {
  StringSink packed;
  const auto compressor =
      snapshotter::make_compressor({.compression = oci::Compression::Zstd, .level = 1}, packed);
  TRY(compressor->write(as_bytes(text)));
  TRY(compressor->finish());
  return std::move(packed.text);
}

Result<std::string> unpack(std::string_view bytes) {
  StringSource source(bytes);
  const std::unique_ptr<Source> text = TRY(snapshotter::make_decompressor(source));
  return read_all(*text, kLargestPart);
}

std::int64_t seconds_of(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string new_id(Time now) {
  const std::string seed = fmt::format("{} {}", now.time_since_epoch().count(), ::getpid());
  return Digest::of(seed).hex().substr(0, kIdLength);
}

bool ran_anything(std::string_view outcomes) {
  return outcomes.find_first_not_of("dhcuw") != std::string_view::npos;
}

Result<BuildSummary> summary_of(const BuildRow& row) {
  BuildSummary out;
  out.id = row.id;
  out.created = row.created;
  out.duration = row.duration;
  out.repeats = row.repeats;
  out.last = row.last;
  out.subject = TRY(decode_subject(row.subject));
  out.image = row.image;
  out.error = row.error;
  for (const char letter : row.outcomes) {
    const bool found = letter == 'h' || letter == 'c' || letter == 'w';
    out.found += found ? 1 : 0;
    out.steps += letter != 'd' && letter != 'u' ? 1 : 0;
  }
  return out;
}

/// The builds before one, read when somebody looks at them.
class StoredPast final : public Past {
 public:
  StoredPast(BuildTables& tables, std::vector<BuildRow> rows)
      : tables_(tables), rows_(std::move(rows)) {}

  const RecordedBuild* build(std::size_t age) override {
    while (builds_.size() <= age && builds_.size() < rows_.size()) {
      builds_.push_back(std::make_unique<RecordedBuild>(load(rows_[builds_.size()])));
    }
    return age < builds_.size() ? builds_[age].get() : nullptr;
  }

  const Manifest* manifest(const std::string& selection) override {
    const auto known = manifests_.find(selection);
    if (known != manifests_.end()) {
      return known->second ? &*known->second : nullptr;
    }
    std::optional<Manifest>& slot = manifests_[selection];
    if (auto read = read_manifest(selection)) {
      slot = std::move(read).value();
    }
    return slot ? &*slot : nullptr;
  }

  /// Without steps when they are not kept any more, or were written by another version.
  RecordedBuild load(const BuildRow& row) {
    RecordedBuild out;
    if (auto summary = summary_of(row)) {
      out.summary = std::move(summary).value();
    }
    out.outcomes = row.outcomes;
    if (!row.part) {
      return out;
    }
    const auto known = steps_.find(*row.part);
    if (known != steps_.end()) {
      out.steps = known->second;
    } else if (auto steps = read_steps(*row.part)) {
      out.steps = steps_.emplace(*row.part, std::move(steps).value()).first->second;
    }
    return out;
  }

 private:
  Result<std::string> read_part(const Digest& digest) {
    const std::optional<std::string> packed = TRY(tables_.find_part(digest));
    if (!packed) {
      return not_found("it is no longer kept");
    }
    return unpack(*packed);
  }
  Result<std::vector<StepFacts>> read_steps(const Digest& digest) {
    const std::string text = TRY(read_part(digest));
    return decode_steps(text);
  }
  Result<Manifest> read_manifest(const std::string& selection) {
    const Digest digest = TRY(Digest::parse("sha256:" + selection));
    const std::string bytes = TRY(read_part(digest));
    return decode_manifest(bytes);
  }

  BuildTables& tables_;
  const std::vector<BuildRow> rows_;
  std::vector<std::unique_ptr<RecordedBuild>> builds_;
  std::map<Digest, std::vector<StepFacts>> steps_;
  std::map<std::string, std::optional<Manifest>> manifests_;
};

class StoredHistory final : public History {
 public:
  StoredHistory(BuildTables& tables, const Clock& clock) : tables_(tables), clock_(clock) {}

  void add(const FinishedBuild& build) override {
    if (const Status done = try_add(build); !done) {
      log::debug("this build is not kept for explain: {}", done.error().message());
    }
  }

  void selected(const Digest& digest, const ops::SourceRefs& sources) override {
    if (const Status done = try_keep(digest, sources); !done) {
      log::debug("the files of a step are not kept for explain: {}", done.error().message());
    }
  }

  Result<Explanation> explain(const std::string& id) override {
    std::vector<BuildRow> rows = TRY(tables_.builds());
    const auto found = TRY(find(rows, id.empty() ? last_added() : id));
    StoredPast past(tables_, std::vector<BuildRow>(found + 1, rows.end()));
    const RecordedBuild build = past.load(*found);
    Explanation out = mybuild::explain::explain(build, past);
    out.facts_lost = build.steps.empty() && found->part.has_value();
    return out;
  }

  Result<std::vector<BuildSummary>> list() override {
    std::vector<BuildSummary> out;
    for (const BuildRow& row : TRY(tables_.builds())) {
      out.push_back(TRY(summary_of(row)));
    }
    return out;
  }

 private:
  using Rows = std::vector<BuildRow>;

  std::string last_added() {
    const auto last = last_added_.lock();
    return *last;
  }
  void set_last_added(const std::string& id) {
    const auto last = last_added_.lock();
    *last = id;
  }

  static Result<Rows::iterator> find(Rows& rows, const std::string& id) {
    if (rows.empty()) {
      return not_found("nothing was built in this state directory yet");
    }
    if (id.empty()) {
      return rows.begin();
    }
    const auto matches = [&id](const BuildRow& row) { return row.id.starts_with(id); };
    const auto found = std::find_if(rows.begin(), rows.end(), matches);
    if (found == rows.end()) {
      return not_found("no such build: {}", id).with_hint(recent_builds(rows));
    }
    if (std::find_if(found + 1, rows.end(), matches) != rows.end()) {
      return invalid_argument("several builds begin with {}", id)
          .with_hint("'mybuild explain --list' has their ids");
    }
    return found;
  }

  static std::string recent_builds(const Rows& rows) {
    std::string hint = "the newest builds are";
    for (std::size_t i = 0; i < std::min(rows.size(), kNamedBuilds); ++i) {
      hint += (i == 0 ? " " : ", ") + rows[i].id;
    }
    return hint + "; 'mybuild explain --list' has all that are kept";
  }

  Status try_add(const FinishedBuild& build) {
    const Time now = clock_.now();
    BuildRow row;
    row.created = seconds_of(now);
    row.last = row.created;
    row.duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - build.started).count();
    row.subject = encode(build.subject);
    row.image = build.image;
    row.error = build.error;
    if (build.observed != nullptr && build.observed->solved.is_known_build) {
      TRY(be_like_earlier(row, build.observed->graph.vertices().size()));
    } else if (build.observed != nullptr) {
      row.outcomes = outcomes_of(*build.observed);
      row.part = facts_digest(*build.observed);
      TRY(keep_facts(*row.part, build));
    }
    const std::optional<BuildRow> newest = TRY(tables_.newest_build());
    if (newest && repeats(*newest, row)) {
      set_last_added(newest->id);
      return tables_.repeat_build(newest->number, row.last, row.duration);
    }
    row.id = new_id(now);
    set_last_added(row.id);
    return tables_.add_build(row);
  }

  /// Of a build that is known as a whole no step was looked at: it is the one that made its image,
  /// with all steps found. When that one is not kept any more, there is nothing to say of the
  /// steps.
  Status be_like_earlier(BuildRow& row, std::size_t vertices) {
    for (const BuildRow& earlier : TRY(tables_.builds())) {
      if (earlier.part && earlier.error.empty() && earlier.image == row.image &&
          earlier.subject == row.subject && earlier.outcomes.size() == vertices) {
        row.part = earlier.part;
        row.outcomes = earlier.outcomes;
        std::replace_if(row.outcomes.begin(), row.outcomes.end(), is_step, kFound);
        return {};
      }
    }
    return {};
  }
  static bool is_step(char letter) { return letter != kSource && letter != kNotNeeded; }

  static bool repeats(const BuildRow& then, const BuildRow& now) {
    return now.part && then.part == now.part && then.outcomes == now.outcomes &&
           then.subject == now.subject && then.image == now.image && then.error == now.error &&
           !ran_anything(now.outcomes);
  }

  Status keep_facts(const Digest& digest, const FinishedBuild& build) {
    if (TRY(tables_.has_part(digest))) {
      return {};
    }
    const auto steps = facts_of(*build.observed, declared_build_args(build.dockerfile));
    const std::string body = TRY(pack(encode(steps)));
    return tables_.put_part(digest, body);
  }

  Status try_keep(const Digest& digest, const ops::SourceRefs& sources) {
    if (TRY(tables_.has_part(digest))) {
      return {};
    }
    const std::string body = TRY(pack(encode_manifest(sources)));
    return tables_.put_part(digest, body);
  }

  BuildTables& tables_;
  const Clock& clock_;
  Guarded<std::string> last_added_;
};

}  // namespace

std::unique_ptr<History> make_history(BuildTables& tables, const Clock& clock) {
  return std::make_unique<StoredHistory>(tables, clock);
}

}  // namespace mybuild::explain

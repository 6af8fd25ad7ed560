// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/server_records.h"

#include "builder/cache_server/protocol/names.h"
#include "builder/registry/errors.h"
#include "snapshotter/base/cpu.h"
#include "snapshotter/base/log.h"
#include "snapshotter/oci/media_type.h"

#include <algorithm>

namespace mybuild::cache_client {

namespace {

using cache_server::SignedRecord;
using cache_server::StepRecord;
using solver::CacheRecord;

/// In front of everything else of the lane: it is what steps wait for.
constexpr std::uint32_t kFirst = 1'000'000;
constexpr std::chrono::milliseconds kPerKey{1};
/// The end of a transfer whatever else is said: several share the line.
constexpr std::chrono::milliseconds kLeastTransfer{30'000};
constexpr std::uint64_t kMaxCost = 3'600'000;
constexpr std::uint64_t kTimesCost = 3;
/// Beyond that by itself it would be no gain, as a step may take longer here than elsewhere.
constexpr std::chrono::milliseconds kWorth{2'000};
constexpr std::uint64_t kTimesWorth = 2;
constexpr std::string_view kTransfer = "fetch a layer from the cache server";

CacheRecord to_imported(const StepRecord& record) {
  ops::StepLayer step{.layer = {}, .created = record.created};
  step.layer.diff_id = record.diff_id;
  step.layer.changes = record.changes;
  step.layer.size = record.size;
  std::vector<solver::OutputId> inputs;
  for (const Digest& input : record.inputs) {
    inputs.push_back({input});
  }
  return remote_cache::imported_record({record.definition}, {record.content}, std::move(inputs),
                                       step);
}

void forget(std::vector<CacheRecord>& records, const Digest& diff_id) {
  std::erase_if(records, [layer = diff_id.str()](const CacheRecord& record) {
    return record.body.find(layer) != std::string::npos;
  });
}

std::chrono::milliseconds worth_of(std::uint64_t cost_ms) {
  return kWorth + std::chrono::milliseconds(std::min(cost_ms, kMaxCost) * kTimesWorth);
}

std::string counted(std::size_t count, std::string_view what) {
  return count == 0 ? std::string() : fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

ServerRecords::ServerRecords(Deps deps) : deps_(std::move(deps)), cancel_(deps_.cancel) {
  const std::lock_guard lock(mutex_);
  start_work();
}

ServerRecords::~ServerRecords() {
  cancel_.request(Error(ErrorKind::Cancelled, "the build is over"));
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !is_working_; });
}

/// With the lock.
void ServerRecords::start_work() {
  is_working_ = true;
  deps_.lanes.post(
      Lane::Net, [this] { work(); }, kFirst);
}

void ServerRecords::prepare() {
  {
    const std::lock_guard lock(mutex_);
    if (is_prepared_) {
      return;
    }
  }
  if (deps_.prepare) {
    deps_.prepare(cancel_);
  }
  const std::lock_guard lock(mutex_);
  is_prepared_ = true;
  changed_.notify_all();
}

void ServerRecords::work() {
  prepare();
  while (const std::optional<std::vector<Digest>> keys = next_question()) {
    if (const Status asked = look_up({.definitions = *keys, .contents = {}}); !asked) {
      log::debug("cache server: {}", asked.error().message());
    }
    finish(*keys);
  }
}

/// The greeting may be without keys. nullopt when nothing is left to ask: then the object may be
/// gone.
std::optional<std::vector<Digest>> ServerRecords::next_question() {
  const std::lock_guard lock(mutex_);
  if (has_greeted_ && waiting_.empty()) {
    is_working_ = false;
    changed_.notify_all();
    return std::nullopt;
  }
  const auto end = waiting_.begin() +
                   static_cast<std::ptrdiff_t>(std::min(waiting_.size(), cache_server::kMaxKeys));
  std::vector<Digest> keys(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return keys;
}

void ServerRecords::finish(const std::vector<Digest>& keys) {
  const std::lock_guard lock(mutex_);
  has_greeted_ = true;
  for (const Digest& key : keys) {
    pending_.erase(key);
  }
  if (!is_of_use() || cancel_.requested()) {
    waiting_.clear();
    pending_.clear();
  }
  changed_.notify_all();
}

/// Steps wait for the greeting, too: nothing is believed before it.
Status ServerRecords::look_up(cache_server::LookupRequest request) {
  const auto extra = kPerKey * (request.definitions.size() + request.contents.size());
  const std::string text =
      TRY(deps_.link.post("lookup", deps_.link.address().space, cache_server::dump(request),
                          ServerLink::Need::Step, cancel_, extra));
  const Result<cache_server::LookupAnswer> answer = cache_server::parse_lookup_answer(text);
  if (!answer) {
    deps_.link.close(Error(answer.error()).context("it does not speak our protocol"));
    return answer.error();
  }
  take(*answer);
  weigh();
  return {};
}

/// Each step that has a record may be spared: more than that the server's answers are not worth.
void ServerRecords::weigh() {
  std::chrono::milliseconds saved{};
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [definition, cost] : costs_) {
      saved += std::min(cost, std::chrono::milliseconds(kMaxCost));
    }
  }
  deps_.link.weigh(saved);
}

void ServerRecords::take(const cache_server::LookupAnswer& answer) {
  for (solver::Warning& warning : deps_.keys.meet(answer.keys)) {
    deps_.events.on_event(std::move(warning));
  }
  if (!cache_server::is_repository_name(answer.space)) {
    deps_.link.close(invalid_argument("it does not say which namespace is ours"));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    space_ = answer.space;
  }
  std::vector<Belief> beliefs(answer.records.size());
  cpu::for_each(beliefs.size(), [&](std::size_t i) { beliefs[i] = check(answer.records[i]); });
  for (std::size_t i = 0; i < beliefs.size(); ++i) {
    accept_checked(answer.records[i], beliefs[i]);
  }
}

ServerRecords::Belief ServerRecords::check(const SignedRecord& record) const {
  const auto key = deps_.keys.find(record.space);
  if (!key) {
    return Belief::UnknownKey;
  }
  const std::string text = cache_server::signed_text(record.space, record.body);
  return cache_server::verify(*key, text, record.signature) ? Belief::Good : Belief::WrongSignature;
}

bool ServerRecords::accept(const SignedRecord& record) {
  return accept_checked(record, check(record));
}

bool ServerRecords::accept_checked(const SignedRecord& record, Belief belief) {
  if (belief != Belief::Good) {
    const std::lock_guard lock(mutex_);
    // Of a key that is not believed the user heard.
    bad_.signatures += belief == Belief::WrongSignature ? 1 : 0;
    return false;
  }
  const Result<StepRecord> parsed = cache_server::parse_step_record(record.body);
  if (!parsed || parsed->changes.is_zero() || !oci::is_layer(parsed->blob.media_type)) {
    const std::lock_guard lock(mutex_);
    ++bad_.records;
    return false;
  }
  return accept_parsed(record.space, *parsed);
}

bool ServerRecords::accept_parsed(const std::string& space, const StepRecord& record) {
  const std::lock_guard lock(mutex_);
  if (dropped_.contains(record.diff_id)) {
    return false;
  }
  if (!seen_.insert(Digest::of(space + "\n" + cache_server::dump(record))).second) {
    return true;
  }
  Place place{.blob = record.blob, .space = space, .cost_ms = record.cost_ms};
  place.number = kFirstLayerNumber + layers_.size();
  if (layers_.emplace(record.diff_id, place).second) {
    numbers_.emplace(place.number, record.diff_id);
  }
  std::chrono::milliseconds& cost = costs_[record.definition];
  cost = std::max(cost, std::chrono::milliseconds(record.cost_ms));
  const CacheRecord imported = to_imported(record);
  by_definition_[record.definition].push_back(imported);
  if (!record.content.is_zero()) {
    by_content_[record.content].push_back(imported);
  }
  return true;
}

void ServerRecords::expect(std::span<const solver::DefinitionKey> keys) {
  if (!is_of_use()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  for (const solver::DefinitionKey& key : keys) {
    if (!by_definition_.contains(key.digest) && pending_.insert(key.digest).second) {
      waiting_.push_back(key.digest);
    }
  }
  if (!is_working_ && !waiting_.empty()) {
    start_work();
  }
}

/// Bounded by the times that the link gives its requests.
std::vector<CacheRecord> ServerRecords::find(const solver::DefinitionKey& key) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !pending_.contains(key.digest); });
  const auto found = by_definition_.find(key.digest);
  return found == by_definition_.end() || !is_of_use() ? std::vector<CacheRecord>()
                                                       : worth_having(found->second);
}

std::vector<CacheRecord> ServerRecords::find(const solver::ContentKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_content_.find(key.digest);
  return found == by_content_.end() || !is_of_use() ? std::vector<CacheRecord>()
                                                    : worth_having(found->second);
}

/// With the lock.
bool ServerRecords::is_too_dear(const Digest& diff_id, const Place& place) const {
  const auto expected = speed_.expected(place.blob.size);
  return expected && *expected > worth_of(place.cost_ms) && !fetched_.contains(diff_id);
}

/// With the lock.
std::vector<CacheRecord> ServerRecords::worth_having(std::vector<CacheRecord> records) const {
  std::erase_if(records, [this](const CacheRecord& record) {
    const Result<ops::StepLayer> step = ops::parse_body(record.body);
    const auto found = step ? layers_.find(step->layer.diff_id) : layers_.end();
    return found != layers_.end() && is_too_dear(found->first, found->second);
  });
  return records;
}

void ServerRecords::ask(const solver::ContentKey& key) {
  const Status asked = look_up({.definitions = {}, .contents = {key.digest}});
  if (!asked) {
    log::debug("cache server: {}", asked.error().message());
  }
}

std::chrono::milliseconds ServerRecords::cost_of(const solver::DefinitionKey& key) {
  for (const bool is_last : {false, true}) {
    {
      const std::lock_guard lock(mutex_);
      const auto found = costs_.find(key.digest);
      if (found != costs_.end() || is_last) {
        return found == costs_.end() ? std::chrono::milliseconds(0) : found->second;
      }
    }
    if (const Status asked = look_up({.definitions = {key.digest}, .contents = {}}); !asked) {
      log::debug("cache server: {}", asked.error().message());
    }
  }
  return {};
}

void ServerRecords::wait_prepared() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_prepared_; });
}

bool ServerRecords::has_told_of(const Digest& diff_id) {
  const std::lock_guard lock(mutex_);
  return layers_.contains(diff_id);
}

std::string ServerRecords::space() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return has_greeted_; });
  return space_;
}

bool ServerRecords::has_changed_keys() {
  (void)space();
  return deps_.keys.has_changed();
}

std::optional<source::RemoteLayer> ServerRecords::where(const Digest& diff_id) {
  const std::lock_guard lock(mutex_);
  const auto found = layers_.find(diff_id);
  if (found == layers_.end() || dropped_.contains(diff_id)) {
    return std::nullopt;
  }
  const Place& place = found->second;
  return source::RemoteLayer{
      .blob = place.blob,
      .origin = [this, diff_id, place](const oci::Descriptor& blob,
                                       Sink& sink) { return fetch(diff_id, place, blob, sink); },
      .cache = place.number};
}

void ServerRecords::announce(std::span<const Digest> diff_ids) {
  std::vector<oci::Descriptor> blobs;
  {
    const std::lock_guard lock(mutex_);
    for (const Digest& diff_id : diff_ids) {
      const auto found = layers_.find(diff_id);
      if (found != layers_.end() && !dropped_.contains(diff_id) &&
          !is_too_dear(diff_id, found->second)) {
        blobs.push_back(found->second.blob);
      }
    }
  }
  small_.fetch(blobs, space(), cancel_);
}

Status ServerRecords::fetch(const Digest& diff_id, const Place& place, const oci::Descriptor& blob,
                            Sink& sink) {
  if (const std::optional<std::string> bytes = small_.take(blob.digest)) {
    return sink.write(as_bytes(*bytes));
  }
  const std::chrono::milliseconds by_cost(std::min(place.cost_ms, kMaxCost) * kTimesCost);
  PacedSink paced(sink, speed_, blob.size, worth_of(place.cost_ms));
  Status fetched = deps_.link.download(place.space, blob, paced, kLeastTransfer + by_cost, cancel_);
  const std::lock_guard lock(mutex_);
  if (fetched) {
    fetched_.insert(diff_id);
    return fetched;
  }
  if (fetched.error().kind() == ErrorKind::Cancelled) {
    return fetched;
  }
  (paced.has_given_up() ? dear_ : broken_).insert(diff_id);
  return std::move(fetched).context(kTransfer);
}

/// With the lock. Its records go, too: a step that makes the same layer here is news to the server.
void ServerRecords::drop(const Digest& diff_id) {
  const auto found = layers_.find(diff_id);
  if (found == layers_.end() || !dropped_.insert(diff_id).second) {
    return;
  }
  distrusted_.insert(found->second.number);
  for (auto* records : {&by_definition_, &by_content_}) {
    for (auto& [key, list] : *records) {
      forget(list, diff_id);
    }
  }
}

/// With the lock. How many were used until now.
std::size_t ServerRecords::drop_all(const std::set<Digest>& diff_ids) {
  const std::size_t before = dropped_.size();
  for (const Digest& diff_id : diff_ids) {
    drop(diff_id);
  }
  return dropped_.size() - before;
}

void ServerRecords::distrust(std::size_t number, const Error& why) {
  const std::lock_guard lock(mutex_);
  if (deps_.link.is_closed()) {
    for (const auto& [diff_id, place] : layers_) {
      drop(diff_id);
    }
    return;
  }
  if (why.message().find(kTransfer) != std::string::npos) {
    for (const auto& [diff_id, place] : layers_) {
      if (!dear_.empty() && is_too_dear(diff_id, place)) {
        dear_.insert(diff_id);
      }
    }
    bad_.dear += drop_all(dear_);
    bad_.layers += drop_all(broken_);
  } else if (const auto found = numbers_.find(number); found != numbers_.end()) {
    bad_.layers += drop_all({found->second});
  }
  if (bad_.layers > 0 && bad_.why.empty()) {
    bad_.why = registry::printable(why.message());
  }
}

std::set<std::size_t> ServerRecords::distrusted() {
  const std::lock_guard lock(mutex_);
  return distrusted_;
}

std::string ServerRecords::complaints() {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const std::string& part :
       {counted(bad_.signatures, "record") +
            (bad_.signatures == 0 ? "" : " with a wrong signature"),
        counted(bad_.records, "record") + (bad_.records == 0 ? "" : " that cannot be read"),
        counted(bad_.layers, "layer") +
            (bad_.layers == 0
                 ? ""
                 : " that could not be had or was not what its record says (" + bad_.why + ")"),
        counted(bad_.dear, "layer") +
            (bad_.dear == 0 ? "" : " that would take longer to fetch than to make")}) {
    text += text.empty() || part.empty() ? part : ", " + part;
  }
  return text;
}

}  // namespace mybuild::cache_client

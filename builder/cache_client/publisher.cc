// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/publisher.h"

#include "builder/cache_client/server_hosts.h"
#include "builder/ops/trees.h"
#include "builder/registry/errors.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace mybuild::cache_client {

namespace {

using cache_server::PublishResult;
using solver::CacheRecord;
using Milliseconds = std::chrono::milliseconds;

/// Most of their time they wait for the server.
constexpr std::size_t kThreads = 5;
/// Below steps of the build, above what runs when nothing else does.
constexpr int kNice = 10;
/// Smaller ones are always worth it, and say little of the way's width.
constexpr std::uint64_t kLarge = 4 << 20;
/// Sent without asking whether it is there.
constexpr std::uint64_t kSmall = 64 << 10;
constexpr std::size_t kBatch = 256;
constexpr std::size_t kMostUnsent = 1000;
/// The server looks for a record's blob, and writes to its disk.
constexpr Milliseconds kThinking{5'000};

/// The bytes of a blob of the store from an offset on.
class StoredBytes final : public Source {
 public:
  StoredBytes(Fd fd, std::uint64_t offset, std::atomic<std::uint64_t>& moved)
      : fd_(std::move(fd)), at_(offset), moved_(moved) {}
  Result<std::size_t> read(MutableByteSpan buffer) override {
    const std::size_t count = TRY(sys::pread_full(fd_.get(), buffer, at_));
    at_ += count;
    moved_ += count;
    return count;
  }

 private:
  const Fd fd_;
  std::uint64_t at_;
  std::atomic<std::uint64_t>& moved_;
};

/// While it lives, a thread does something that no server can hold up.
class Busy {
 public:
  explicit Busy(std::atomic<int>& count) : count_(count) { ++count_; }
  ~Busy() { --count_; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  std::atomic<int>& count_;
};

Milliseconds since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
}

cache_server::StepRecord to_record(const CacheRecord& record, const ops::StepLayer& step,
                                   const oci::Descriptor& blob, const std::string& name) {
  cache_server::StepRecord published;
  published.definition = record.definition.digest;
  published.content = record.content.digest;
  for (const solver::OutputId& input : record.inputs) {
    published.inputs.push_back(input.digest);
  }
  published.output = record.output.digest;
  published.diff_id = step.layer.diff_id;
  published.changes = step.layer.changes.value_or(Digest{});
  published.size = step.layer.size;
  published.blob.media_type = oci::oci_media_type(blob.media_type);
  published.blob.digest = blob.digest;
  published.blob.size = blob.size;
  published.created = step.created;
  published.cost_ms = static_cast<std::uint64_t>(record.run->took.count());
  published.step = name.substr(0, cache_server::kMaxStepName);
  return published;
}

/// For explain at the server: what of two steps is not the same.
std::map<std::string, std::string> facts_of(const CacheRecord& record) {
  std::map<std::string, std::string> facts = {{"definition", record.definition.digest.str()}};
  for (std::size_t i = 0; i < record.inputs.size(); ++i) {
    facts.emplace(fmt::format("input {}", i), record.inputs[i].digest.str());
  }
  return facts;
}

}  // namespace

Publisher::Publisher(Deps deps)
    : deps_(std::move(deps)),
      place_(make_server_hosts(deps_.link.address(), deps_.hosts)),
      push_(registry::make_registry_push(deps_.link,
                                         {.hosts = place_.get(), .credentials = nullptr})) {}

Publisher::~Publisher() {
  cancel_.request(Error(ErrorKind::Cancelled, "the time for publishing is over"));
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

bool Publisher::is_possible() const {
  return !is_refused_ && !is_over_ && !deps_.link.is_closed();
}

bool Publisher::add(const CacheRecord& record) {
  const std::lock_guard lock(mutex_);
  const bool is_one = record.run && !record.content.digest.is_zero() && !record.is_imported &&
                      record.inputs.size() <= cache_server::kMaxInputs;
  if (!is_one || !is_possible()) {
    lost_.steps += is_one && is_refused_ ? 1 : 0;
    if (is_one && !is_refused_) {
      note_unsent(record);
    }
    return false;
  }
  waiting_.push_back(record);
  if (threads_.size() < kThreads) {
    threads_.emplace_back([this] { work(); });
  }
  changed_.notify_all();
  return true;
}

void Publisher::work() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  std::unique_lock lock(mutex_);
  thread_ids_.push_back(::gettid());
  for (;;) {
    changed_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
    if (is_over_) {
      return;
    }
    const CacheRecord record = std::move(waiting_.front());
    waiting_.pop_front();
    working_.push_back(record);
    lock.unlock();
    std::optional<Ready> ready = prepare(record);
    lock.lock();
    if (ready) {
      ready_.push_back(*std::move(ready));
      send_batches(lock);
    } else {
      settle(record.content);
    }
  }
}

/// With the lock, which is given up meanwhile. Who comes while another thread sends leaves it what
/// he has: so batches grow as they must.
void Publisher::send_batches(std::unique_lock<std::mutex>& lock) {
  if (is_sending_) {
    return;
  }
  is_sending_ = true;
  while (!ready_.empty()) {
    const auto end = ready_.begin() + static_cast<std::ptrdiff_t>(std::min(kBatch, ready_.size()));
    const std::vector<Ready> batch(std::make_move_iterator(ready_.begin()),
                                   std::make_move_iterator(end));
    ready_.erase(ready_.begin(), end);
    lock.unlock();
    send(batch);
    lock.lock();
    for (const Ready& one : batch) {
      settle(one.content);
    }
  }
  is_sending_ = false;
}

void Publisher::send(const std::vector<Ready>& batch) {
  cache_server::PublishRequest request;
  for (const Ready& one : batch) {
    request.records.push_back(one.published);
  }
  const Result<std::string> text =
      deps_.link.post("publish", deps_.records.space(), cache_server::dump(request),
                      ServerLink::Need::Beside, cancel_, kThinking);
  if (!text) {
    log::debug("publish: {}", text.error().message());
    lose(batch.size(), text.error().message());
    const std::lock_guard lock(mutex_);
    is_refused_ = is_refused_ || text.error().kind() == ErrorKind::Denied;
    for (const Ready& one : batch) {
      const auto record = find_working(one.content);
      if (text.error().kind() == ErrorKind::Unavailable && record != working_.end()) {
        note_unsent(*record);
      }
    }
    return;
  }
  const auto answer = cache_server::parse_publish_answer(*text);
  if (!answer) {
    lose(batch.size(), "it does not speak our protocol: " + answer.error().message());
    return;
  }
  for (const auto& result : answer->results) {
    if (!result.message.empty()) {
      log::debug("publish: {}", result.message);
    }
    if (result.result == PublishResult::Refused) {
      lose(1, result.message.empty() ? "it refuses the record" : result.message);
    }
  }
}

/// With the lock.
std::vector<CacheRecord>::iterator Publisher::find_working(const solver::ContentKey& content) {
  return std::find_if(working_.begin(), working_.end(),
                      [&](const CacheRecord& record) { return record.content == content; });
}

/// With the lock.
void Publisher::note_unsent(const CacheRecord& record) {
  if (unsent_.size() < kMostUnsent) {
    unsent_.push_back(record);
  }
}

std::vector<CacheRecord> Publisher::unsent() const {
  const std::lock_guard lock(mutex_);
  return unsent_;
}

/// What fails after finish() is left and not lost.
void Publisher::lose(std::size_t steps, std::string_view why) {
  const std::lock_guard lock(mutex_);
  if (!is_over_) {
    lost_.steps += steps;
    lost_.why = registry::printable(why);
  }
}

std::string Publisher::name_of(const CacheRecord& record) const {
  return deps_.masked ? deps_.masked(record.run->step) : record.run->step;
}

Publisher::Lost Publisher::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

bool Publisher::is_stuck() const {
  const std::lock_guard lock(mutex_);
  return is_stuck_;
}

/// With the lock.
void Publisher::settle(const solver::ContentKey& content) {
  const auto done = find_working(content);
  if (done != working_.end()) {
    working_.erase(done);
  }
  ++moved_;
  if (deps_.on_settled) {
    deps_.on_settled(content);
  }
  changed_.notify_all();
}

std::optional<Publisher::Ready> Publisher::prepare(const CacheRecord& record) {
  Result<std::optional<Ready>> ready = try_prepare(record);
  if (!ready) {
    log::debug("step {} is not published: {}", record.run->step, ready.error().message());
    lose(1, ready.error().message());
    const std::lock_guard lock(mutex_);
    is_refused_ = is_refused_ || ready.error().kind() == ErrorKind::Denied;
    if (ready.error().kind() == ErrorKind::Unavailable) {
      note_unsent(record);
    }
    return std::nullopt;
  }
  return std::move(ready).value();
}

Result<std::optional<Publisher::Ready>> Publisher::try_prepare(const CacheRecord& record) {
  TRY(cancel_.check());
  const ops::StepLayer step = TRY(ops::parse_body(record.body));
  if (deps_.records.space().empty() || deps_.link.is_closed()) {
    return make_error(ErrorKind::Unavailable, "the server is left alone");
  }
  if (deps_.records.has_changed_keys()) {
    return make_error(ErrorKind::Denied, "it has another key than the one that is known");
  }
  // Compressed it is smaller, but hardly to less than an eighth.
  if (!pays(step.layer.size / 8, record.run->took)) {
    return std::optional<Ready>();
  }
  const std::optional<oci::Descriptor> blob = TRY(compress(record, step.layer.diff_id));
  if (!blob || !pays(blob->size, record.run->took)) {
    return std::optional<Ready>();
  }
  TRY(upload(*blob));
  return std::optional(
      Ready{.content = record.content,
            .published = {.record = to_record(record, step, *blob, name_of(record)),
                          .facts = facts_of(record)}});
}

Result<std::optional<oci::Descriptor>> Publisher::compress(const CacheRecord& record,
                                                           const Digest& diff_id) {
  const Busy busy(busy_here_);
  if (!may_leave(record)) {
    return std::optional<oci::Descriptor>();
  }
  const oci::Descriptor blob = TRY(deps_.layers.ensure_blob(diff_id, {}));
  return std::optional(blob);
}

bool Publisher::may_leave(const CacheRecord& record) {
  if (!deps_.has_secret) {
    return true;
  }
  const Result<ops::StepLayer> step = ops::parse_body(record.body);
  const Result<bool> has =
      step ? deps_.has_secret(step->layer.diff_id) : Result<bool>(step.error());
  if (has && *has) {
    const std::lock_guard lock(mutex_);
    withheld_.insert(record.run->step);
  }
  return has && !*has;
}

bool Publisher::pays(std::uint64_t bytes, Milliseconds took) const {
  const std::lock_guard lock(mutex_);
  if (bytes < kLarge || sent_bytes_ == 0) {
    return true;
  }
  const double expected = static_cast<double>(bytes) * static_cast<double>(sent_in_.count()) /
                          static_cast<double>(sent_bytes_);
  return expected <= static_cast<double>(took.count());
}

Status Publisher::upload(const oci::Descriptor& blob) {
  if (blob.size <= kSmall) {
    std::string bytes = TRY(deps_.content.read(blob.digest));
    const Result<bool> is_done =
        deps_.link.upload_at_once(deps_.records.space(), blob.digest, std::move(bytes), cancel_);
    if (is_done && *is_done) {
      return {};
    }
    if (!is_done && is_done.error().kind() != ErrorKind::Unavailable) {
      return is_done.error();
    }
  }
  oci::Reference target;
  target.domain = deps_.link.address().host;
  target.repository = deps_.records.space();
  const auto begun = std::chrono::steady_clock::now();
  const registry::Delivery delivery = TRY(
      push_->blob(target,
                  {.blob = blob,
                   .open = [this, &blob](std::uint64_t offset) -> Result<std::unique_ptr<Source>> {
                     Fd fd = TRY(deps_.content.open(blob.digest));
                     return std::unique_ptr<Source>(
                         std::make_unique<StoredBytes>(std::move(fd), offset, moved_));
                   },
                   .mount_from = {}},
                  cancel_));
  if (delivery == registry::Delivery::Sent && blob.size >= kLarge) {
    const std::lock_guard lock(mutex_);
    sent_bytes_ += blob.size;
    sent_in_ += since(begun);
  }
  return {};
}

std::size_t Publisher::left() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + working_.size();
}

Milliseconds Publisher::cost_of_left() const {
  const std::lock_guard lock(mutex_);
  Milliseconds sum{};
  for (const CacheRecord& record : waiting_) {
    sum += record.run->took;
  }
  for (const CacheRecord& record : working_) {
    sum += record.run->took;
  }
  return sum;
}

bool Publisher::has(const solver::ContentKey& content) const {
  const std::lock_guard lock(mutex_);
  const auto is_it = [&](const CacheRecord& record) { return record.content == content; };
  return std::any_of(waiting_.begin(), waiting_.end(), is_it) ||
         std::any_of(working_.begin(), working_.end(), is_it);
}

std::string Publisher::withheld() const {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}", fmt::join(withheld_, ", "));
}

std::vector<CacheRecord> Publisher::finish(Milliseconds time) {
  using Steady = std::chrono::steady_clock;
  const Steady::time_point deadline = Steady::now() + time;
  Steady::time_point last_move = Steady::now();
  std::uint64_t moved = moved_;
  std::unique_lock lock(mutex_);
  // No step runs any more that they would have to yield to. Not everybody may say so.
  for (const pid_t id : thread_ids_) {
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(id), 0);
  }
  while (!(waiting_.empty() && working_.empty()) && !deps_.cancel.requested() && !is_stuck_ &&
         Steady::now() < deadline) {
    // A signal must not wait for the deadline.
    changed_.wait_until(lock, std::min(deadline, Steady::now() + Milliseconds(100)));
    if (busy_here_ > 0 || moved != moved_) {
      moved = moved_;
      last_move = Steady::now();
    }
    is_stuck_ = since(last_move) >= deps_.stuck;
  }
  is_over_ = true;
  std::vector<CacheRecord> left(working_.begin(), working_.end());
  left.insert(left.end(), waiting_.begin(), waiting_.end());
  for (const CacheRecord& record : left) {
    note_unsent(record);
  }
  changed_.notify_all();
  return left;
}

}  // namespace mybuild::cache_client

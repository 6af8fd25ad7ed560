// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_client/claim_keeper.h"

#include "builder/registry/backoff.h"
#include "snapshotter/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace mybuild::cache_client {

namespace {

using cache_server::ClaimResult;
using solver::ClaimedStep;
using solver::ContentKey;
using Steady = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

/// In the life of a claim, so that one that is late costs nothing.
constexpr int kHeartbeats = 3;
constexpr Milliseconds kMinHeartbeat{500};
constexpr Milliseconds kMaxHeartbeat{5'000};
constexpr Milliseconds kMaxPoll{60'000};
constexpr int kMostWaitsInVain = 2;
/// The claim of a step that fails elsewhere goes from one to the next.
constexpr int kMostRounds = 8;
/// A wait that is answered at once, without anything, is no reason to ask at once again.
constexpr Milliseconds kPause{200};

std::string owner() {
  std::array<char, 256> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}, process {}", host.data(), ::getpid());
}

Milliseconds since(Steady::time_point start) {
  return std::chrono::duration_cast<Milliseconds>(Steady::now() - start);
}

class ServerClaims final : public solver::StepClaims {
 public:
  ServerClaims(std::unique_ptr<solver::StepClaims> local, ClaimKeeper& keeper, ClaimWords words)
      : local_(std::move(local)), keeper_(keeper), words_(std::move(words)) {}

  Result<std::unique_ptr<solver::StepClaim>> claim(const ClaimedStep& step, Lane lane,
                                                   const std::function<void()>& on_wait,
                                                   const Cancel& cancel) override {
    auto held = std::make_unique<Held>(*this, step.content);
    bool has_waited = false;
    const auto on_local_wait = [&] {
      has_waited = true;
      on_wait();
    };
    held->local = TRY(local_->claim(step, lane, on_local_wait, cancel));
    if (!has_waited || !words_.is_known(step.content)) {
      keeper_.take(step, lane, on_wait, cancel);
    }
    TRY(cancel.check());
    return std::unique_ptr<solver::StepClaim>(std::move(held));
  }

 private:
  struct Held final : solver::StepClaim {
    Held(ServerClaims& of, const ContentKey& key) : claims(of), content(key) {}
    ~Held() override {
      if (!claims.words_.is_kept(content)) {
        claims.keeper_.give_back(content);
      }
    }
    ServerClaims& claims;
    const ContentKey content;
    std::unique_ptr<solver::StepClaim> local;
  };

  const std::unique_ptr<solver::StepClaims> local_;
  ClaimKeeper& keeper_;
  const ClaimWords words_;
};

}  // namespace

std::unique_ptr<solver::StepClaims> make_server_claims(std::unique_ptr<solver::StepClaims> local,
                                                       ClaimKeeper& keeper, ClaimWords words) {
  return std::make_unique<ServerClaims>(std::move(local), keeper, std::move(words));
}

ClaimKeeper::~ClaimKeeper() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ClaimKeeper::take(const ClaimedStep& step, Lane lane, const std::function<void()>& on_wait,
                       const Cancel& cancel) {
  if (deps_.records.space().empty()) {
    return;  // before the greeting no answer can be believed; after it the server is not there
  }
  const Steady::time_point begun = Steady::now();
  std::optional<Steady::time_point> deadline;
  for (int round = 0; round < kMostRounds && deps_.link.may_ask() && !cancel.requested() &&
                      waits_in_vain_ < kMostWaitsInVain;
       ++round) {
    if (!is_allowed_) {
      deps_.records.ask(step.content);  // who may only read asks for what there is
      return;
    }
    Milliseconds time{};
    if (ask(step, time, cancel) != Answer::Wait) {
      return;
    }
    if (!deadline) {
      on_wait();
      deadline = begun + limit(step, time);
    }
    const Steady::time_point from = Steady::now();
    End end = End::Never;
    deps_.lanes.step_aside(lane, [&] { end = wait(step.content, *deadline, cancel); });
    if (end == End::Known) {
      return;
    }
    note_wait_in_vain(since(from));
    if (end == End::Never) {
      return;
    }
  }
}

/// What no key signed is not worth more than half a minute.
Milliseconds ClaimKeeper::limit(const ClaimedStep& step, Milliseconds told) {
  const ClaimPatience& patience = deps_.patience;
  if (in_vain_ms_ >= patience.in_vain.count()) {
    return std::min(told, patience.then);
  }
  if (told <= patience.unproven) {
    return told;
  }
  const Milliseconds proven = std::min(deps_.records.cost_of(step.definition) * 2, patience.most);
  return std::min(told, std::max(patience.unproven, proven));
}

void ClaimKeeper::note_wait_in_vain(Milliseconds took) {
  if ((in_vain_ms_ += took.count()) >= deps_.patience.in_vain.count()) {
    ++waits_in_vain_;
  }
}

ClaimKeeper::Answer ClaimKeeper::ask(const ClaimedStep& step, Milliseconds& time,
                                     const Cancel& cancel) {
  const cache_server::ClaimRequest request{
      .owner = owner(),
      .steps = {{.definition = step.definition.digest, .content = step.content.digest}}};
  const Result<std::string> text =
      deps_.link.post("claim", deps_.link.address().space, cache_server::dump(request),
                      ServerLink::Need::Step, cancel);
  if (!text) {
    log::debug("claim: {}", text.error().message());
    is_allowed_ = is_allowed_ && text.error().kind() != ErrorKind::Denied;
    return Answer::Ours;
  }
  const auto answer = cache_server::parse_claim_answer(*text);
  if (!answer || answer->results.size() != 1) {
    deps_.link.close(invalid_argument("it does not speak our protocol: no answer to a claim"));
    return Answer::Ours;
  }
  const cache_server::ClaimAnswer::One& one = answer->results.front();
  switch (one.result) {
    case ClaimResult::Granted:
      keep(step.content, one.claim, one.time);
      return Answer::Ours;
    case ClaimResult::Known:
      return one.record && deps_.records.accept(*one.record) ? Answer::Known : Answer::Ours;
    case ClaimResult::Held:
      time = one.time;
      return Answer::Wait;
  }
  return Answer::Ours;
}

ClaimKeeper::End ClaimKeeper::wait(const ContentKey& content, Steady::time_point deadline,
                                   const Cancel& cancel) {
  while (Steady::now() < deadline && !cancel.requested()) {
    const auto time =
        std::min(std::chrono::duration_cast<Milliseconds>(deadline - Steady::now()), kMaxPoll);
    const cache_server::WaitRequest request{.contents = {content.digest}, .timeout = time};
    const Result<std::string> text =
        deps_.link.post("wait", deps_.link.address().space, cache_server::dump(request),
                        ServerLink::Need::Beside, cancel, time);
    const auto answer = text ? cache_server::parse_wait_answer(*text)
                             : Result<cache_server::WaitAnswer>(text.error());
    if (!answer) {
      return End::Never;
    }
    for (const cache_server::SignedRecord& record : answer->records) {
      if (deps_.records.accept(record)) {
        return End::Known;
      }
    }
    (void)registry::wait_or_cancel(kPause, cancel);
    if (!answer->over.empty()) {
      return End::Free;
    }
  }
  return End::Never;
}

void ClaimKeeper::keep(const ContentKey& content, std::string claim, Milliseconds life) {
  const std::lock_guard lock(mutex_);
  if (is_over_ || claim.empty()) {
    return;
  }
  held_[content.digest] = std::move(claim);
  const Milliseconds interval = std::clamp(life / kHeartbeats, kMinHeartbeat, kMaxHeartbeat);
  if (interval < heartbeat_) {
    heartbeat_ = interval;
    changed_.notify_all();
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { keep_alive(); });
  }
}

void ClaimKeeper::give_back(const ContentKey& content) {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(content.digest);
  if (found != held_.end()) {
    to_release_.push_back(std::move(found->second));
    held_.erase(found);
    changed_.notify_all();
  }
}

void ClaimKeeper::leave() {
  const std::lock_guard lock(mutex_);
  held_.clear();
}

std::vector<std::string> ClaimKeeper::held_claims() const {
  std::vector<std::string> claims;
  for (const auto& [content, claim] : held_) {
    claims.push_back(claim);
  }
  return claims;
}

void ClaimKeeper::keep_alive() {
  std::unique_lock lock(mutex_);
  Steady::time_point last = Steady::now();
  while (!is_over_) {
    const Milliseconds interval = heartbeat_;
    changed_.wait_until(lock, last + interval,
                        [&] { return is_over_ || !to_release_.empty() || heartbeat_ != interval; });
    std::vector<std::string> released = std::exchange(to_release_, {});
    std::vector<std::string> alive;
    if (Steady::now() >= last + heartbeat_) {
      alive = held_claims();
      last = Steady::now();
    }
    lock.unlock();
    send("release", std::move(released));
    send("heartbeat", std::move(alive));
    lock.lock();
  }
  std::vector<std::string> left = held_claims();
  left.insert(left.end(), to_release_.begin(), to_release_.end());
  lock.unlock();
  send("release", std::move(left));
}

void ClaimKeeper::send(std::string_view verb, std::vector<std::string> claims) {
  if (claims.empty() || deps_.link.is_closed()) {
    return;
  }
  claims.resize(std::min(claims.size(), cache_server::kMaxClaims));
  const Result<std::string> answer =
      deps_.link.post(verb, deps_.link.address().space,
                      cache_server::dump(cache_server::ClaimList{.claims = std::move(claims)}),
                      ServerLink::Need::Beside, cancel_);
  if (!answer) {
    log::debug("{}: {}", verb, answer.error().message());
  }
}

}  // namespace mybuild::cache_client

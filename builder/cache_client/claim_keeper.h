// SPDX-License-Identifier: Apache-2.0
// ClaimKeeper: the claims that one build has at a cache server: taken, kept alive by one thread for
// all of them, and given back when their step is settled. Who is told to wait does so for as long
// as the server says, within limits of our own (ClaimPatience): its word alone is not worth much
// time, and a build that has waited in vain hardly waits again. Thread-safe.
#pragma once

#include "builder/cache_client/server_link.h"
#include "builder/cache_client/server_records.h"
#include "solver/claims.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mybuild::cache_client {

/// How long a build waits for a step that another machine is said to run.
struct ClaimPatience {
  using Milliseconds = std::chrono::milliseconds;
  Milliseconds unproven{30'000};   // where no signed record says that the step takes longer
  Milliseconds most{10 * 60'000};  // and twice what that record says at most
  /// After so much time without a record, all steps together, the others wait for `then` at most;
  /// after the second wait of that kind there are no claims any more.
  Milliseconds in_vain{2'000};
  Milliseconds then{3'000};
};

class ClaimKeeper {
 public:
  struct Deps {
    ServerLink& link;
    ServerRecords& records;
    Lanes& lanes;
    ClaimPatience patience = {};
  };
  explicit ClaimKeeper(Deps deps) : deps_(deps) {}
  /// Gives back what is left, unless leave() was called.
  ~ClaimKeeper();
  ClaimKeeper(const ClaimKeeper&) = delete;
  ClaimKeeper& operator=(const ClaimKeeper&) = delete;

  /// Returns when the step is ours, or need not be: then the records have it. It is also "ours"
  /// when the server does not help. As StepClaims::claim().
  void take(const solver::ClaimedStep& step, Lane lane, const std::function<void()>& on_wait,
            const Cancel& cancel);
  /// Gives the claim back, soon.
  void give_back(const solver::ContentKey& content);
  /// Those that are held stay until they run out: somebody else goes on with their steps.
  void leave();

 private:
  enum class Answer { Ours, Known, Wait };
  Answer ask(const solver::ClaimedStep& step, std::chrono::milliseconds& time,
             const Cancel& cancel);
  std::chrono::milliseconds limit(const solver::ClaimedStep& step, std::chrono::milliseconds told);
  void note_wait_in_vain(std::chrono::milliseconds took);
  enum class End { Known, Free, Never };
  /// Free: without a record.
  End wait(const solver::ContentKey& content, std::chrono::steady_clock::time_point deadline,
           const Cancel& cancel);
  /// `life`: how long the claim is good for without a heartbeat.
  void keep(const solver::ContentKey& content, std::string claim, std::chrono::milliseconds life);
  void keep_alive();
  void send(std::string_view verb, std::vector<std::string> claims);
  std::vector<std::string> held_claims() const;

  const Deps deps_;
  Cancel cancel_;
  std::atomic<bool> is_allowed_{true};       // the token has the scope
  std::atomic<std::int64_t> in_vain_ms_{0};  // waited without a record, in sum
  std::atomic<int> waits_in_vain_{0};        // beyond ClaimPatience::in_vain
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Digest, std::string> held_;  // by content key
  std::vector<std::string> to_release_;
  std::chrono::milliseconds heartbeat_{5'000};  // by the shortest life that was told
  bool is_over_ = false;
  std::thread thread_;  // started with the first claim
};

struct ClaimWords {
  using Says = std::function<bool(const solver::ContentKey&)>;
  Says is_kept;   // the claim stays when the step has ended, as it is not settled yet
  Says is_known;  // the store has a record: who waited for the local claim need not ask
};
/// The local claim first, then the server's. `keeper` outlives the answer.
std::unique_ptr<solver::StepClaims> make_server_claims(std::unique_ptr<solver::StepClaims> local,
                                                       ClaimKeeper& keeper, ClaimWords words);

}  // namespace mybuild::cache_client

// SPDX-License-Identifier: Apache-2.0
#include "solver/scheduler.h"

#include "snapshotter/base/mailbox.h"
#include "solver/decide.h"
#include "solver/step.h"
#include "solver/vertex_work.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <variant>

namespace mybuild::solver {

namespace {

/// Keys that are known wait this long for others that are being made, so that the index is asked
/// once. Longer would hold up steps that could start.
constexpr std::chrono::milliseconds kGatherTime(20);

/// The answer of the index to one question.
struct Answer {
  std::vector<VertexIndex> vertices;
  Result<std::vector<std::vector<CacheRecord>>> records = std::vector<std::vector<CacheRecord>>();
  bool is_known_build = false;  // then nobody asked for records
};

using Mail = std::variant<WorkResult, Answer>;

VertexKind kind_of(const Op& op, std::size_t inputs) {
  if (!op.is_direct()) {
    return VertexKind::Step;
  }
  return inputs == 0 ? VertexKind::Source : VertexKind::Merge;
}

class Scheduler {
 public:
  Scheduler(const Graph& graph, const OpTable& ops, SolveDeps deps)
      : graph_(graph),
        ops_(ops),
        deps_(deps),
        work_(graph, ops, deps_),
        slots_(graph.vertices().size()) {
    for (VertexIndex index = 0; index < slots_.size(); ++index) {
      const std::vector<Edge>& inputs = graph_.vertices()[index].inputs;
      slots_[index].kind = kind_of(*ops_[index], inputs.size());
      slots_[index].state.inputs_left = static_cast<std::uint32_t>(inputs.size());
      slots_[index].state.keys_left = static_cast<std::uint32_t>(inputs.size());
      for (const Edge input : inputs) {
        slots_[input.vertex].dependants.push_back(index);
      }
    }
    set_heights();
  }

  SolveResult run(const std::vector<Edge>& targets) {
    for (const Edge target : targets) {
      targets_.push_back(target.vertex);
      raise(target.vertex, VertexEvent::Demanded);
    }
    settle();
    while (in_flight_ > 0 || !unasked_.empty()) {
      if (is_time_to_ask()) {
        ask();
        continue;
      }
      for (Mail& mail : take_mail()) {
        std::visit([this](auto& message) { receive(std::move(message)); }, mail);
      }
      settle();
      stop_overdue();
    }
    return result();
  }

 private:
  struct Slot {
    VertexKind kind = VertexKind::Step;
    VertexState state;
    std::vector<VertexIndex> dependants;
    std::uint32_t height = 0;          // steps that follow on the longest way to a target
    std::vector<CacheRecord> records;  // from the answer of the index to the probe
    VertexOutcome outcome;
    bool started = false;      // a VertexStarted went out
    bool is_new = false;       // ran in this build, or is made of what did
    bool is_key_work = false;  // a lane works on it, and keys will come of it
    std::optional<SteadyTime> overdue_at;
    std::unique_ptr<Cancel> cancel;  // of its own, while it runs with a deadline
  };

  void set_heights() {
    for (VertexIndex index = static_cast<VertexIndex>(slots_.size()); index-- > 0;) {
      for (const Edge input : graph_.vertices()[index].inputs) {
        std::uint32_t& height = slots_[input.vertex].height;
        height = std::max(height, slots_[index].height + 1);
      }
    }
  }

  SolveResult result() {
    SolveResult result;
    result.failure = std::move(failure_);
    result.failed_vertex = failed_vertex_;
    result.is_known_build = is_known_build_;
    if (Status asked = deps_.cancel.check(); !asked && !result.failure) {
      result.failure = std::move(asked).error();
    }
    for (Slot& slot : slots_) {
      result.vertices.push_back(std::move(slot.outcome));
    }
    return result;
  }

  // Events of vertices, one after the other: a chain that is all cached is no deep recursion.

  void raise(VertexIndex index, VertexEvent event) { raised_.emplace_back(index, event); }

  void settle() {
    while (!raised_.empty()) {
      const auto [index, event] = raised_.front();
      raised_.pop_front();
      handle(index, event);
    }
  }

  void handle(VertexIndex index, VertexEvent event) {
    Slot& slot = slots_[index];
    const Decision decision = decide(slot.state, event, slot.kind);
    count(slot.state, decision);
    slot.state = decision.state;
    const VertexActions actions = decision.actions;
    if (actions.has(VertexAction::DemandInputs)) {
      for (const Edge input : graph_.vertices()[index].inputs) {
        raise(input.vertex, VertexEvent::Demanded);
      }
    }
    if (actions.has(VertexAction::StopBuild)) {
      stop();
    }
    if (actions.has(VertexAction::NotifyKeyed)) {
      notify(slot, VertexEvent::InputKeyed);
    }
    if (actions.has(VertexAction::NotifyDependants)) {
      notify(slot, VertexEvent::InputDone);
    }
    if (actions.has(VertexAction::MakeKey)) {
      make_key(index);
    }
    if (actions.has(VertexAction::LookUp)) {
      want_records(index);
    }
    if (actions.has(VertexAction::Probe)) {
      probe(index);
    }
    if (actions.has(VertexAction::Exec)) {
      post_exec(index);
    }
  }

  void count(const VertexState& before, const Decision& decision) {
    unkeyed_ += before.phase == Phase::Idle && decision.state.phase != Phase::Idle ? 1 : 0;
    unkeyed_ -= decision.actions.has(VertexAction::NotifyKeyed) ? 1 : 0;
  }

  void notify(const Slot& slot, VertexEvent event) {
    for (const VertexIndex dependant : slot.dependants) {
      raise(dependant, event);
    }
  }

  void stop() {
    deps_.cancel.request(Error(ErrorKind::Cancelled, "another step failed"));
    unasked_.clear();
    for (Slot& slot : slots_) {
      slot.state = decide(slot.state, VertexEvent::Stop, slot.kind).state;
    }
  }

  // Answers.

  std::vector<Mail> take_mail() {
    std::optional<SteadyTime> wake;
    const auto no_later_than = [&wake](SteadyTime time) {
      wake = std::min(wake.value_or(time), time);
    };
    if (!unasked_.empty()) {
      no_later_than(unasked_since_ + kGatherTime);
    }
    for (const VertexIndex index : timed_) {
      no_later_than(*slots_[index].overdue_at);
    }
    return wake ? mailbox_.take_until(*wake) : mailbox_.take();
  }

  void receive(Answer answer) {
    --in_flight_;
    if (is_known_build_) {
      return;
    }
    if (answer.is_known_build && !has_run_) {
      say_all_cached();
      return;
    }
    for (std::size_t i = 0; i < answer.vertices.size(); ++i) {
      const VertexIndex index = answer.vertices[i];
      if (answer.is_known_build) {  // too late: a step has begun meanwhile
        raise(index, VertexEvent::LookedUp);
        continue;
      }
      if (!answer.records) {
        fail(index, answer.records.error());
        return;
      }
      slots_[index].records = std::move((*answer.records)[i]);
      raise(index, VertexEvent::LookedUp);
    }
  }

  void receive(WorkResult message) {
    Slot& slot = slots_[message.vertex];
    if (message.began) {
      slot.overdue_at = *message.began + deps_.options.step_timeout;
      timed_.push_back(message.vertex);
      return;
    }
    --in_flight_;
    slot.started |= message.was_started;
    if (std::exchange(slot.is_key_work, false)) {
      --key_work_;
    }
    std::erase(timed_, message.vertex);
    apply(std::move(message));
  }

  void apply(WorkResult message) {
    Slot& slot = slots_[message.vertex];
    if (message.keys) {
      slot.outcome.keys = std::move(*message.keys);
    }
    if (message.output) {
      slot.outcome.output = std::move(message.output);
      slot.outcome.cached = message.event == VertexEvent::Hit;
      slot.outcome.made_meanwhile = message.made_meanwhile;
      slot.outcome.finished = deps_.clock.now();
      slot.is_new = message.event == VertexEvent::Finished && is_made_now(message.vertex);
    }
    report(message, slot);
    if (message.error && !failure_) {
      failure_ = std::move(message.error);
      if (failure_->kind() != ErrorKind::Cancelled) {
        failed_vertex_ = message.vertex;
      }
      const auto& place = graph_.vertices()[message.vertex].meta.location;
      if (place && failure_->kind() != ErrorKind::Cancelled) {
        failure_ = std::move(*failure_).at(*place);
      }
    }
    raise(message.vertex, message.event);
  }

  void fail(VertexIndex index, Error error) {
    WorkResult message;
    message.vertex = index;
    message.error = std::move(error);
    apply(std::move(message));
  }

  void report(const WorkResult& message, Slot& slot) {
    const Vertex& vertex = graph_.vertices()[message.vertex];
    if (vertex.meta.name.empty() || slot.state.phase == Phase::Dropped) {
      return;
    }
    const Time now = deps_.clock.now();
    switch (message.event) {
      case VertexEvent::Hit:
        deps_.events.on_event(VertexCached{vertex.id, vertex.meta.name, now});
        break;
      case VertexEvent::Finished:
        deps_.events.on_event(VertexDone{vertex.id, now, std::nullopt});
        break;
      case VertexEvent::Failed:
        if (!std::exchange(slot.started, true)) {
          deps_.events.on_event(VertexStarted{vertex.id, vertex.meta.name, now});
        }
        deps_.events.on_event(VertexDone{vertex.id, now, message.error});
        break;
      default:
        break;
    }
  }

  // Keys and records.

  /// Copies, so that a lane never looks at the scheduler's state. Inputs that are not done yet have
  /// no result.
  StepInputs inputs_of(VertexIndex index) const {
    StepInputs inputs;
    for (const Edge input : graph_.vertices()[index].inputs) {
      const Slot& slot = slots_[input.vertex];
      const bool is_done = slot.outcome.output.has_value();
      inputs.results.push_back(is_done ? slot.outcome.output->result : nullptr);
      inputs.ids.push_back(is_done ? slot.outcome.output->id : OutputId{});
      inputs.definitions.push_back(slot.outcome.keys.definition);
      inputs.is_source.push_back(slot.kind == VertexKind::Source);
    }
    return inputs;
  }

  void make_key(VertexIndex index) {
    StepInputs inputs = inputs_of(index);
    if (!key_reads_files(inputs)) {
      apply(work_.make_key(index, inputs));
      return;
    }
    ++key_work_;
    slots_[index].is_key_work = true;
    post(Lane::Disk, index, [this, index, inputs = std::move(inputs)] {
      mailbox_.post(work_.make_key(index, inputs));
    });
  }

  void want_records(VertexIndex index) {
    if (graph_.vertices()[index].meta.ignore_cache) {
      is_forced_ = true;
      raise(index, VertexEvent::LookedUp);
      return;
    }
    if (unasked_.empty()) {
      unasked_since_ = std::chrono::steady_clock::now();
    }
    unasked_.push_back(index);
  }

  bool is_time_to_ask() const {
    return !unasked_.empty() &&
           (key_work_ == 0 || std::chrono::steady_clock::now() >= unasked_since_ + kGatherTime);
  }

  /// One question for all keys that are known; in front of it, once every key is known and as long
  /// as no step has run, that for the build as a whole.
  void ask() {
    std::vector<VertexIndex> vertices = std::exchange(unasked_, {});
    std::vector<DefinitionKey> keys;
    keys.reserve(vertices.size());
    for (const VertexIndex index : vertices) {
      keys.push_back(slots_[index].outcome.keys.definition);
    }
    const bool is_whole =
        deps_.known_builds != nullptr && unkeyed_ == 0 && !is_forced_ && !has_run_;
    std::vector<KeyInput> whole = is_whole ? target_keys() : std::vector<KeyInput>();
    ++in_flight_;
    deps_.lanes.post(Lane::Disk, [this, vertices = std::move(vertices), keys = std::move(keys),
                                  whole = std::move(whole)]() mutable {
      Answer answer;
      answer.vertices = std::move(vertices);
      answer.is_known_build = !whole.empty() && deps_.known_builds->is_known(whole);
      if (!answer.is_known_build) {
        answer.records = deps_.index.find_all(keys);
      }
      mailbox_.post(std::move(answer));
    });
  }

  std::vector<KeyInput> target_keys() const {
    std::vector<KeyInput> keys;
    for (const VertexIndex target : targets_) {
      const Slot& slot = slots_[target];
      keys.push_back(
          slot.kind == VertexKind::Source
              ? KeyInput{KeyInput::Kind::Output, slot.outcome.output->id.digest}
              : KeyInput{KeyInput::Kind::Definition, slot.outcome.keys.definition.digest});
    }
    return keys;
  }

  /// The build as a whole is known: it is shown like one whose steps were found one by one.
  void say_all_cached() {
    is_known_build_ = true;
    for (VertexIndex index = 0; index < slots_.size(); ++index) {
      Slot& slot = slots_[index];
      if (slot.state.phase != Phase::Waiting) {
        continue;
      }
      slot.outcome.cached = slot.kind == VertexKind::Step;
      WorkResult message;
      message.vertex = index;
      message.event = VertexEvent::Hit;
      report(message, slot);
    }
  }

  /// What is not in the cache for this build, whatever the index says.
  bool looks_up(VertexIndex index) const {
    const Vertex& vertex = graph_.vertices()[index];
    if (vertex.meta.ignore_cache || deps_.options.early_cutoff) {
      return !vertex.meta.ignore_cache;
    }
    return !stands_on_new(index);
  }

  bool stands_on_new(VertexIndex index) const {
    const std::vector<Edge>& inputs = graph_.vertices()[index].inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (slots_[inputs[i].vertex].is_new && ops_[index]->input_rule(i) == InputRule::Whole) {
        return true;
      }
    }
    return false;
  }

  bool is_made_now(VertexIndex index) const {
    return slots_[index].kind == VertexKind::Step || stands_on_new(index);
  }

  /// Records that were found by the definition key need only be compared, here and now; what the
  /// inputs are may have to be read, on a lane.
  void probe(VertexIndex index) {
    Slot& slot = slots_[index];
    const StepInputs inputs = inputs_of(index);
    set_inputs(slot.outcome.keys, inputs);
    const std::vector<CacheRecord> records = std::exchange(slot.records, {});
    auto hit = looks_up(index) ? match_records(*ops_[index], slot.outcome.keys, inputs, records)
                               : Result<std::optional<Output>>(std::nullopt);
    if (!hit) {
      fail(index, std::move(hit).error());
    } else if (*hit) {
      WorkResult found;
      found.vertex = index;
      found.event = VertexEvent::Hit;
      found.output = std::move(*hit);
      apply(std::move(found));
    } else {
      raise(index, VertexEvent::Miss);
    }
  }

  // Runs.

  void post(Lane lane, VertexIndex index, std::function<void()> task) {
    ++in_flight_;
    deps_.lanes.post(lane, std::move(task), slots_[index].height);
  }

  void post_exec(VertexIndex index) {
    Slot& slot = slots_[index];
    const Lane lane = ops_[index]->lane();
    if (slot.kind == VertexKind::Source) {
      ++key_work_;
      slot.is_key_work = true;
    }
    has_run_ |= slot.kind == VertexKind::Step;
    Cancel* cancel = &deps_.cancel;
    std::function<void()> began;
    if (lane == Lane::Exec && deps_.options.step_timeout.count() > 0) {
      slot.cancel = std::make_unique<Cancel>(deps_.cancel);
      cancel = slot.cancel.get();
      began = [this, index] { say_began(index); };
    }
    const StepPolicy policy{.look_up = looks_up(index),
                            .early_cutoff = deps_.options.early_cutoff,
                            .is_shown = slot.started};
    post(lane, index,
         [this, index, policy, cancel, began, keys = slot.outcome.keys, inputs = inputs_of(index)] {
           mailbox_.post(work_.run(index, keys, inputs, policy, *cancel, began));
         });
  }

  /// On a lane.
  void say_began(VertexIndex index) {
    WorkResult message;
    message.vertex = index;
    message.began = std::chrono::steady_clock::now();
    mailbox_.post(std::move(message));
  }

  void stop_overdue() {
    const SteadyTime now = std::chrono::steady_clock::now();
    const auto is_overdue = [&](VertexIndex index) { return *slots_[index].overdue_at <= now; };
    for (const VertexIndex index : timed_) {
      if (is_overdue(index)) {
        slots_[index].cancel->request(
            make_error(ErrorKind::Deadline, "the step ran longer than {} s, and was stopped",
                       std::chrono::duration<double>(deps_.options.step_timeout).count()));
      }
    }
    std::erase_if(timed_, is_overdue);
  }

  const Graph& graph_;
  const OpTable& ops_;
  const SolveDeps deps_;
  const VertexWork work_;
  std::vector<Slot> slots_;
  std::vector<VertexIndex> targets_;
  std::deque<std::pair<VertexIndex, VertexEvent>> raised_;
  Mailbox<Mail> mailbox_;
  std::size_t in_flight_ = 0;         // tasks on lanes
  std::size_t key_work_ = 0;          // those of them that lead to keys
  std::size_t unkeyed_ = 0;           // wanted vertices whose keys are not known
  std::vector<VertexIndex> unasked_;  // whose records are to be asked for
  SteadyTime unasked_since_;
  bool has_run_ = false;    // some step was not found
  bool is_forced_ = false;  // some wanted step must run whatever is known
  bool is_known_build_ = false;
  std::vector<VertexIndex> timed_;  // what runs with a deadline
  std::optional<Error> failure_;
  std::optional<VertexIndex> failed_vertex_;
};

}  // namespace

SolveResult solve(const Graph& graph, const OpTable& ops, const std::vector<Edge>& targets,
                  SolveDeps deps) {
  return Scheduler(graph, ops, deps).run(targets);
}

}  // namespace mybuild::solver

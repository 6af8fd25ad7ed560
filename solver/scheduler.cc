// SPDX-License-Identifier: Apache-2.0
#include "solver/scheduler.h"

#include "snapshotter/base/log.h"
#include "snapshotter/base/mailbox.h"
#include "solver/decide.h"

#include <utility>

namespace mybuild::solver {

namespace {

/// An answer of a lane to the scheduler.
struct Message {
  VertexIndex vertex = 0;
  VertexEvent event = VertexEvent::Failed;
  StepKeys keys;                 // after a probe
  std::optional<Output> output;  // with Hit and Finished
  std::optional<Error> error;    // with Failed
};

class Scheduler {
 public:
  Scheduler(const Graph& graph, const OpTable& ops, SolveDeps deps)
      : graph_(graph), ops_(ops), deps_(deps), slots_(graph.vertices().size()) {
    for (VertexIndex index = 0; index < slots_.size(); ++index) {
      const std::vector<Edge>& inputs = graph_.vertices()[index].inputs;
      slots_[index].state.inputs_left = static_cast<std::uint32_t>(inputs.size());
      for (const Edge input : inputs) {
        slots_[input.vertex].dependants.push_back(index);
      }
    }
  }

  SolveResult run(const std::vector<Edge>& targets) {
    for (const Edge target : targets) {
      handle(target.vertex, VertexEvent::Demanded);
    }
    while (in_flight_ > 0) {
      for (Message& message : mailbox_.take()) {
        --in_flight_;
        receive(std::move(message));
      }
    }
    SolveResult result;
    result.failure = std::move(failure_);
    if (Status asked = deps_.cancel.check(); !asked && !result.failure) {
      result.failure = std::move(asked).error();
    }
    for (Slot& slot : slots_) {
      result.vertices.push_back(std::move(slot.outcome));
    }
    return result;
  }

 private:
  struct Slot {
    VertexState state;
    std::vector<VertexIndex> dependants;
    VertexOutcome outcome;
    bool started = false;  // a VertexStarted went out
  };

  void receive(Message message) {
    Slot& slot = slots_[message.vertex];
    if (message.event == VertexEvent::Hit || message.event == VertexEvent::Miss) {
      slot.outcome.keys = std::move(message.keys);
    }
    if (message.output) {
      slot.outcome.output = std::move(message.output);
      slot.outcome.cached = message.event == VertexEvent::Hit;
      slot.outcome.finished = deps_.clock.now();
    }
    report(message, slot);
    if (message.error && !failure_) {
      failure_ = std::move(message.error);
      const auto& place = graph_.vertices()[message.vertex].meta.location;
      if (place && failure_->kind() != ErrorKind::Cancelled) {
        failure_ = std::move(*failure_).at(*place);
      }
    }
    handle(message.vertex, message.event);
  }

  void report(const Message& message, Slot& slot) {
    const Vertex& vertex = graph_.vertices()[message.vertex];
    if (vertex.meta.name.empty()) {
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
        announce(vertex, slot);
        deps_.events.on_event(VertexDone{vertex.id, now, message.error});
        break;
      default:
        break;
    }
  }

  void announce(const Vertex& vertex, Slot& slot) {
    if (!vertex.meta.name.empty() && !std::exchange(slot.started, true)) {
      deps_.events.on_event(VertexStarted{vertex.id, vertex.meta.name, deps_.clock.now()});
    }
  }

  void handle(VertexIndex index, VertexEvent event) {
    Slot& slot = slots_[index];
    const Decision decision = decide(slot.state, event, ops_[index]->is_direct());
    slot.state = decision.state;
    if (decision.actions.has(VertexAction::DemandInputs)) {
      for (const Edge input : graph_.vertices()[index].inputs) {
        handle(input.vertex, VertexEvent::Demanded);
      }
    }
    if (decision.actions.has(VertexAction::StopBuild)) {
      stop();
    }
    if (decision.actions.has(VertexAction::NotifyDependants)) {
      for (const VertexIndex dependant : slot.dependants) {
        handle(dependant, VertexEvent::InputDone);
      }
    }
    if (decision.actions.has(VertexAction::Probe)) {
      post_probe(index);
    }
    if (decision.actions.has(VertexAction::Exec)) {
      post_exec(index);
    }
  }

  void stop() {
    deps_.cancel.request(Error(ErrorKind::Cancelled, "another step failed"));
    for (Slot& slot : slots_) {
      slot.state = decide(slot.state, VertexEvent::Stop, false).state;
    }
  }

  /// What a lane task gets: copies, so that it never looks at the scheduler's state.
  StepInputs inputs_of(VertexIndex index) const {
    StepInputs inputs;
    for (const Edge input : graph_.vertices()[index].inputs) {
      const Slot& slot = slots_[input.vertex];
      inputs.results.push_back(slot.outcome.output->result);
      inputs.ids.push_back(slot.outcome.output->id);
      inputs.definitions.push_back(slot.outcome.keys.definition);
      inputs.is_direct.push_back(ops_[input.vertex]->is_direct());
    }
    return inputs;
  }

  void post_probe(VertexIndex index) {
    ++in_flight_;
    Op& op = *ops_[index];
    deps_.lanes.post(Lane::Disk, [this, index, &op, inputs = inputs_of(index)] {
      mailbox_.post(probe(index, op, inputs));
    });
  }

  bool look_up(VertexIndex index) const { return !graph_.vertices()[index].meta.ignore_cache; }

  Message probe(VertexIndex index, Op& op, const StepInputs& inputs) {
    Message message;
    message.vertex = index;
    Result<Probe> answer = deps_.cancel.requested()
                               ? Result<Probe>(deps_.cancel.check().error())
                               : probe_step(op, inputs, deps_.index, look_up(index));
    if (!answer) {
      message.error = std::move(answer).error();
      return message;
    }
    message.event = answer->hit ? VertexEvent::Hit : VertexEvent::Miss;
    message.keys = std::move(answer->keys);
    message.output = std::move(answer->hit);
    return message;
  }

  void post_exec(VertexIndex index) {
    ++in_flight_;
    announce(graph_.vertices()[index], slots_[index]);
    Op& op = *ops_[index];
    deps_.lanes.post(op.lane(),
                     [this, index, &op, keys = slots_[index].outcome.keys,
                      inputs = inputs_of(index)] { mailbox_.post(exec(index, op, keys, inputs)); });
  }

  Message exec(VertexIndex index, Op& op, const StepKeys& keys, const StepInputs& inputs) {
    Message message;
    message.vertex = index;
    Result<Output> output = deps_.cancel.requested() ? Result<Output>(deps_.cancel.check().error())
                                                     : run_step(op, keys, inputs, deps_.index,
                                                                look_up(index), deps_.cancel);
    if (!output) {
      message.error = std::move(output).error();
      return message;
    }
    message.event = VertexEvent::Finished;
    message.output = std::move(output).value();
    return message;
  }

  const Graph& graph_;
  const OpTable& ops_;
  SolveDeps deps_;
  std::vector<Slot> slots_;
  Mailbox<Message> mailbox_;
  std::size_t in_flight_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

SolveResult solve(const Graph& graph, const OpTable& ops, const std::vector<Edge>& targets,
                  SolveDeps deps) {
  return Scheduler(graph, ops, deps).run(targets);
}

}  // namespace mybuild::solver

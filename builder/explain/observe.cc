// SPDX-License-Identifier: Apache-2.0
#include "builder/explain/observe.h"

#include "frontend/dockerfile/parser.h"
#include "frontend/dockerfile/source_map.h"
#include "frontend/remote/http_url.h"
#include "solver/key.h"

#include <algorithm>
#include <map>

namespace mybuild::explain {

namespace {

using solver::Vertex;
using solver::VertexIndex;
using solver::VertexOutcome;

bool is_source(const Vertex& vertex) {
  return std::holds_alternative<solver::SourceOp>(vertex.op);
}

/// Sources and merges: nothing is looked up for them.
bool is_direct(const Vertex& vertex) {
  return is_source(vertex) || std::holds_alternative<solver::MergeOp>(vertex.op);
}

/// The words for a source in a sentence.
struct SourceName {
  /// The digest is told beside it.
  std::string operator()(const solver::ImageSource& image) const {
    return image.reference.substr(0, image.reference.find('@'));
  }
  std::string operator()(const solver::LocalSource& local) const {
    return local.name == "context" ? "the build context" : "the context " + local.name;
  }
  std::string operator()(const solver::HttpSource& http) const {
    return frontend::shown_url(http.url);
  }
  std::string operator()(const solver::GitSource& git) const {
    return frontend::shown_url(git.remote) + (git.ref.empty() ? "" : "#" + git.ref);
  }
};

class Observer {
 public:
  Observer(const Observed& build, const std::set<std::string>& build_args)
      : build_(build), build_args_(build_args) {}

  StepFacts step(VertexIndex index) {
    const Vertex& vertex = vertex_of(index);
    StepFacts step;
    step.name = vertex.meta.name;
    step.line = vertex.meta.location ? vertex.meta.location->first_line : 0;
    if (is_source(vertex)) {
      if (outcome_of(index).output) {
        step.facts.push_back(source_fact(index));
      }
    } else if (inputs_are_done(index)) {
      step.facts = op_facts(vertex.op, build_args_);
      if (std::holds_alternative<solver::ExecOp>(vertex.op)) {
        Fact platform;
        platform.kind = FactKind::Platform;
        platform.place = "platform";
        platform.value = oci::to_string(vertex.platform);
        step.facts.push_back(std::move(platform));
      }
      add_inputs(index, step.facts);
      tell_places_apart(step.facts);
    }
    return step;
  }

  /// A merge has no name of its own: it is known by the copy that it puts on top.
  std::string name_of(VertexIndex index) const {
    const Vertex& vertex = vertex_of(index);
    if (vertex.meta.name.empty() && !vertex.inputs.empty()) {
      return name_of(vertex.inputs.back().vertex);
    }
    return vertex.meta.name;
  }

  bool inputs_are_done(VertexIndex index) const {
    const auto& inputs = vertex_of(index).inputs;
    return std::all_of(inputs.begin(), inputs.end(), [this](const solver::Edge& edge) {
      return outcome_of(edge.vertex).output.has_value();
    });
  }

 private:
  const Vertex& vertex_of(VertexIndex index) const { return build_.graph.vertices()[index]; }
  const VertexOutcome& outcome_of(VertexIndex index) const { return build_.solved.vertices[index]; }
  std::string output_of(VertexIndex index) const {
    const auto& output = outcome_of(index).output;
    return output ? output->id.digest.hex() : std::string();
  }

  Fact source_fact(VertexIndex index) const {
    const auto& source = std::get<solver::SourceOp>(vertex_of(index).op);
    Fact fact;
    fact.kind = FactKind::Source;
    fact.place = "source";
    fact.name = std::visit(SourceName(), source);
    fact.value = output_of(index);
    if (const auto* image = std::get_if<solver::ImageSource>(&source)) {
      fact.kind = FactKind::Base;
      fact.shown = image->manifest.str();
    }
    return fact;
  }

  static const solver::ExecMount* mount_of(const Vertex& vertex, std::size_t input) {
    const auto* exec = std::get_if<solver::ExecOp>(&vertex.op);
    if (exec == nullptr) {
      return nullptr;
    }
    for (const solver::ExecMount& mount : exec->mounts) {
      if (mount.input == input) {
        return &mount;
      }
    }
    return nullptr;
  }

  static bool has_root(const Vertex& vertex) {
    if (const auto* exec = std::get_if<solver::ExecOp>(&vertex.op)) {
      return exec->has_root;
    }
    const auto* file = std::get_if<solver::FileOp>(&vertex.op);
    return file == nullptr || file->has_base;
  }

  /// Whether the op looks at a part of the input only (solver::InputRule).
  static bool is_selected(const Vertex& vertex, std::size_t input) {
    if (has_root(vertex) && input == 0) {
      return false;
    }
    if (const solver::ExecMount* mount = mount_of(vertex, input)) {
      return std::holds_alternative<solver::BindMount>(mount->kind);
    }
    return std::holds_alternative<solver::FileOp>(vertex.op);
  }

  void add_inputs(VertexIndex index, std::vector<Fact>& facts) {
    const Vertex& vertex = vertex_of(index);
    const bool is_merge = std::holds_alternative<solver::MergeOp>(vertex.op);
    for (std::size_t i = 0; i < vertex.inputs.size(); ++i) {
      const solver::ExecMount* mount = mount_of(vertex, i);
      const std::string place = is_merge                     ? fmt::format("layers {}", i)
                                : mount != nullptr           ? "input of mount " + mount->target
                                : has_root(vertex) && i == 0 ? "root"
                                                             : "input";
      facts.push_back(is_selected(vertex, i) ? files_fact(index, i, place)
                                             : whole_fact(vertex.inputs[i].vertex, place));
    }
    if (!has_root(vertex)) {
      Fact nothing;
      nothing.kind = FactKind::Base;
      nothing.place = "root";
      nothing.name = "scratch";
      facts.push_back(std::move(nothing));
    }
  }

  Fact whole_fact(VertexIndex input, const std::string& place) const {
    Fact fact;
    if (is_source(vertex_of(input))) {
      fact = source_fact(input);
    } else {
      fact.kind = FactKind::Step;
      fact.name = name_of(input);
      fact.value = output_of(input);
      fact.step = input;
    }
    fact.place = place;
    return fact;
  }

  Fact files_fact(VertexIndex index, std::size_t number, const std::string& place) const {
    const VertexIndex input = vertex_of(index).inputs[number].vertex;
    Fact fact = whole_fact(input, place);
    fact.kind = FactKind::Files;
    fact.origin = fact.value == Digest().hex() ? std::string() : fact.value;
    fact.value.clear();
    fact.shown.clear();
    const auto& selected = outcome_of(index).keys.selected;
    if (number < selected.size() && selected[number]) {
      fact.value = selected[number]->hex();
    }
    return fact;
  }

  /// Several copies in one step, say.
  static void tell_places_apart(std::vector<Fact>& facts) {
    std::map<std::string, int> seen;
    for (Fact& fact : facts) {
      if (const int count = ++seen[fact.place]; count > 1) {
        fact.place += fmt::format(" ({})", count);
      }
    }
  }

  const Observed& build_;
  const std::set<std::string>& build_args_;
};

std::vector<bool> needed_vertices(const Observed& build) {
  const auto vertices = build.graph.vertices();
  std::vector<bool> needed(vertices.size(), false);
  for (const solver::Edge target : build.targets) {
    needed[target.vertex] = true;
  }
  for (std::size_t i = vertices.size(); i-- > 0;) {  // inputs come before
    if (needed[i]) {
      for (const solver::Edge input : vertices[i].inputs) {
        needed[input.vertex] = true;
      }
    }
  }
  return needed;
}

StepState state_of(const Observed& build, VertexIndex index, bool inputs_done) {
  const VertexOutcome& outcome = build.solved.vertices[index];
  const bool direct = is_direct(build.graph.vertices()[index]);
  if (direct && outcome.output) {
    return StepState::Source;
  }
  if (outcome.output) {
    // Of a step that is found by its definition no content key is made.
    return !outcome.cached                         ? StepState::Ran
           : outcome.made_meanwhile                ? StepState::MadeMeanwhile
           : outcome.keys.content.digest.is_zero() ? StepState::HitByDefinition
                                                   : StepState::HitByContent;
  }
  if (!inputs_done) {
    return StepState::NotReached;
  }
  if (build.solved.failed_vertex == index) {
    return StepState::Failed;
  }
  const bool begun = !outcome.keys.definition.digest.is_zero();
  return begun ? StepState::Stopped : StepState::NotReached;
}

}  // namespace

Digest facts_digest(const Observed& build) {
  solver::KeyBuilder key("mybuild.facts.v1");
  const auto vertices = build.graph.vertices();
  for (std::size_t i = 0; i < vertices.size(); ++i) {
    const VertexOutcome& outcome = build.solved.vertices[i];
    const auto& place = vertices[i].meta.location;
    key.add(vertices[i].id.digest).add(vertices[i].meta.name);
    key.add_number(place ? static_cast<std::uint64_t>(place->first_line) : 0);
    key.add(outcome.keys.definition.digest);
    key.add(outcome.output ? outcome.output->id.digest : Digest());
  }
  return key.finish();
}

std::vector<StepFacts> facts_of(const Observed& build, const std::set<std::string>& build_args) {
  Observer observer(build, build_args);
  std::vector<StepFacts> steps;
  for (VertexIndex i = 0; i < build.graph.vertices().size(); ++i) {
    steps.push_back(observer.step(i));
  }
  return steps;
}

std::string outcomes_of(const Observed& build) {
  const std::set<std::string> none;
  const Observer observer(build, none);
  const std::vector<bool> needed = needed_vertices(build);
  std::string outcomes;
  for (VertexIndex i = 0; i < build.graph.vertices().size(); ++i) {
    const StepState state =
        needed[i] ? state_of(build, i, observer.inputs_are_done(i)) : StepState::NotNeeded;
    const bool forced = build.graph.vertices()[i].meta.ignore_cache && state != StepState::Source;
    const char letter = static_cast<char>(state);
    outcomes += forced ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  return outcomes;
}

std::set<std::string> declared_build_args(std::string_view dockerfile) {
  const frontend::SourceMap source("Dockerfile", dockerfile);
  const auto document = frontend::parse(source, dockerfile);
  std::set<std::string> args;
  if (!document) {
    return args;
  }
  for (const frontend::Node& node : document->nodes) {
    if (node.verb == "arg") {
      for (const std::string& arg : node.args) {
        args.insert(arg.substr(0, arg.find('=')));
      }
    }
  }
  for (const frontend::Node& node : document->nodes) {
    for (std::size_t i = 0; node.verb == "env" && i < node.args.size(); i += 2) {
      args.erase(node.args[i]);
    }
  }
  return args;
}

}  // namespace mybuild::explain

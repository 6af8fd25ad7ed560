// SPDX-License-Identifier: Apache-2.0
#include "builder/explain/explain.h"

#include "builder/explain/compare.h"

#include <algorithm>
#include <cctype>

namespace mybuild::explain {

namespace {

StepState state_at(const RecordedBuild& build, std::size_t index) {
  const char letter = index < build.outcomes.size() ? build.outcomes[index] : 'n';
  return static_cast<StepState>(std::tolower(static_cast<unsigned char>(letter)));
}

bool is_forced(const RecordedBuild& build, std::size_t index) {
  return index < build.outcomes.size() &&
         std::isupper(static_cast<unsigned char>(build.outcomes[index])) != 0;
}

bool is_done(StepState state) {
  return state == StepState::HitByDefinition || state == StepState::HitByContent ||
         state == StepState::MadeMeanwhile || state == StepState::Ran || state == StepState::Source;
}

/// A step of an earlier build.
struct Earlier {
  const RecordedBuild* build = nullptr;
  std::uint32_t step = 0;
  const StepFacts& facts() const { return build->steps[step]; }
};

class Explainer {
 public:
  Explainer(const RecordedBuild& build, Past& past) : build_(build), past_(past) {}

  StepExplanation step(std::uint32_t index) {
    StepExplanation out;
    out.index = index;
    out.name = build_.steps[index].name;
    out.line = build_.steps[index].line;
    out.state = state_at(build_, index);
    switch (out.state) {
      case StepState::HitByDefinition:
        out.reason = Reason::FoundDefinition;
        out.cause = find_cut_off(index);
        break;
      case StepState::HitByContent:
        out.reason = Reason::FoundContent;
        out.cause = find_cut_off(index);
        break;
      case StepState::MadeMeanwhile:
        out.reason = Reason::FoundMeanwhile;
        break;
      case StepState::NotReached:
        out.reason = Reason::NotReached;
        break;
      case StepState::NotNeeded:
        out.reason = Reason::NotNeeded;
        break;
      case StepState::Source:
        explain_source(out);
        break;
      default:
        explain_miss(out);
        break;
    }
    return out;
  }

 private:
  const StepFacts& facts_of(const StepExplanation& step) const { return build_.steps[step.index]; }

  /// A step below that ran, though what stands on it was found.
  std::optional<Cause> find_cut_off(std::uint32_t index) const {
    for (const Fact& fact : build_.steps[index].facts) {
      if (!fact.step) {
        continue;
      }
      if (state_at(build_, *fact.step) == StepState::Ran) {
        return Cause{.step = *fact.step, .came_out_different = false, .difference = {}};
      }
      if (build_.steps[*fact.step].name.empty()) {  // a merge: what it is made of
        if (auto below = find_cut_off(*fact.step)) {
          return below;
        }
      }
    }
    return std::nullopt;
  }

  void explain_source(StepExplanation& out) {
    out.reason = Reason::Source;
    if (const auto nearest = find_nearest(facts_of(out))) {
      compare_with(*nearest, out);
    }
  }

  void explain_miss(StepExplanation& out) {
    if (facts_of(out).facts.empty()) {
      out.reason = Reason::Unreadable;
      return;
    }
    if (is_forced(build_, out.index)) {
      out.reason = Reason::Forced;
      return;
    }
    if (out.state == StepState::Failed && !selections_known(facts_of(out))) {
      out.reason = Reason::Unreadable;
      return;
    }
    if (const auto equal = find_equal(facts_of(out))) {
      out.reason =
          is_done(state_at(*equal->build, equal->step)) ? Reason::Gone : Reason::NeverFinished;
      name_compared(*equal, out);
      return;
    }
    if (const auto nearest = find_nearest(facts_of(out))) {
      out.reason = Reason::Changed;
      compare_with(*nearest, out);
      return;
    }
    out.reason = has_past() ? Reason::Unlike : Reason::FirstBuild;
  }

  /// A step that selects files makes their digests before it is looked up.
  static bool selections_known(const StepFacts& step) {
    return std::all_of(step.facts.begin(), step.facts.end(), [](const Fact& fact) {
      return fact.kind != FactKind::Files || !fact.value.empty();
    });
  }

  bool has_past() {
    for (std::size_t age = 0; const RecordedBuild* build = past_.build(age); ++age) {
      if (!build->steps.empty()) {
        return true;
      }
    }
    return false;
  }

  /// A step that had all the same inputs; better one that was done.
  std::optional<Earlier> find_equal(const StepFacts& now) {
    std::optional<Earlier> unfinished;
    for (std::size_t age = 0; const RecordedBuild* build = past_.build(age); ++age) {
      for (std::uint32_t i = 0; i < build->steps.size(); ++i) {
        const StepFacts& then = build->steps[i];
        const bool may_be_equal = then.facts.size() == now.facts.size() &&
                                  then.facts.front().value == now.facts.front().value;
        if (!may_be_equal || !differences(then, now).empty()) {
          continue;
        }
        if (is_done(state_at(*build, i))) {
          return Earlier{build, i};
        }
        unfinished = unfinished ? unfinished : Earlier{build, i};
      }
    }
    return unfinished;
  }

  /// The nearest one, of those the newest.
  std::optional<Earlier> find_nearest(const StepFacts& now) {
    std::optional<Earlier> best;
    int best_distance = 0;
    for (std::size_t age = 0; const RecordedBuild* build = past_.build(age); ++age) {
      const bool same = build->summary.subject == build_.summary.subject;
      for (std::uint32_t i = 0; i < build->steps.size(); ++i) {
        const auto far = distance({same, &build->steps, i}, now, build_.steps);
        if (far && (!best || *far < best_distance)) {
          best = Earlier{build, i};
          best_distance = *far;
        }
      }
      if (best && best_distance == 0) {
        break;
      }
    }
    return best;
  }

  static void name_compared(const Earlier& earlier, StepExplanation& out) {
    out.compared_build = earlier.build->summary.id;
    out.compared_step = earlier.facts().name;
  }

  void compare_with(const Earlier& earlier, StepExplanation& out) {
    name_compared(earlier, out);
    out.differences = differences(earlier.facts(), facts_of(out));
    for (Difference& difference : out.differences) {
      add_files(difference);
    }
    if (!out.differences.empty() && out.differences.front().kind == FactKind::Step) {
      out.cause = find_cause(earlier, out.differences.front());
    }
  }

  void add_files(Difference& difference) {
    if (difference.kind != FactKind::Files || difference.change != ChangeKind::Changed) {
      return;
    }
    const Manifest* then = past_.manifest(difference.was_part);
    const Manifest* now = past_.manifest(difference.is_part);
    if (then != nullptr && now != nullptr) {
      difference.files = file_changes(*then, *now);
      difference.files_known = true;
    }
  }

  /// Follows the step that is not what it was to where that began.
  std::optional<Cause> find_cause(const Earlier& earlier, const Difference& first) {
    Difference difference = first;
    while (difference.is_step && difference.was_step) {
      const std::uint32_t index = *difference.is_step;
      const StepFacts& now = build_.steps[index];
      const StepFacts& then = earlier.build->steps[*difference.was_step];
      const bool same_place = then.name.empty() || now.name.empty() ||
                              parse_name(then.name).text == parse_name(now.name).text ||
                              parse_name(then.name).number == parse_name(now.name).number;
      if (!same_place) {
        return std::nullopt;
      }
      std::vector<Difference> deeper = differences(then, now);
      if (deeper.empty()) {
        return Cause{.step = index, .came_out_different = true, .difference = {}};
      }
      difference = std::move(deeper.front());
      if (difference.kind != FactKind::Step) {
        add_files(difference);
        return Cause{.step = index, .came_out_different = false, .difference = difference};
      }
    }
    return std::nullopt;
  }

  const RecordedBuild& build_;
  Past& past_;
};

/// A source of an ADD has the name of the step, which is told itself.
bool is_shown(const RecordedBuild& build, std::uint32_t index) {
  const std::string& name = build.steps[index].name;
  if (name.empty() || name.starts_with("[internal]")) {
    return false;
  }
  const auto later = build.steps.begin() + index + 1;
  return state_at(build, index) != StepState::Source ||
         std::none_of(later, build.steps.end(),
                      [&](const StepFacts& step) { return step.name == name; });
}

}  // namespace

Explanation explain(const RecordedBuild& build, Past& past) {
  Explanation out;
  out.build = build.summary;
  Explainer explainer(build, past);
  for (std::uint32_t i = 0; i < build.steps.size(); ++i) {
    if (is_shown(build, i)) {
      out.steps.push_back(explainer.step(i));
    }
  }
  return out;
}

}  // namespace mybuild::explain

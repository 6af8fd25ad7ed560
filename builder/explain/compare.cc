// SPDX-License-Identifier: Apache-2.0
#include "builder/explain/compare.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace mybuild::explain {

namespace {

using FactsByPlace = std::map<std::string_view, const Fact*>;

FactsByPlace by_place(const StepFacts& step) {
  FactsByPlace facts;
  for (const Fact& fact : step.facts) {
    facts.emplace(fact.place, &fact);
  }
  return facts;
}

/// Images and steps are told by name as well, but are what their value says.
bool has_identity(FactKind kind) {
  return kind == FactKind::Base || kind == FactKind::Step || kind == FactKind::Files ||
         kind == FactKind::Source;
}

bool is_same(const Fact& then, const Fact& now) {
  const bool both_files = then.kind == FactKind::Files && now.kind == FactKind::Files;
  if (both_files && (then.value.empty() || now.value.empty())) {
    return then.origin == now.origin && then.name == now.name;
  }
  if (then.kind == FactKind::Base && now.kind == FactKind::Base && now.value.empty()) {
    return then.value.empty();  // scratch
  }
  return then.value == now.value;  // an image that is what a step was is the same, too
}

const std::string& text_of(const Fact& fact) {
  return fact.shown.empty() ? fact.value : fact.shown;
}

Difference difference(const Fact* then, const Fact* now) {
  const Fact& told = now != nullptr ? *now : *then;
  Difference out;
  out.kind = told.kind;
  out.name = told.name;
  out.change = then == nullptr  ? ChangeKind::Added
               : now == nullptr ? ChangeKind::Removed
                                : ChangeKind::Changed;
  if (then != nullptr) {
    out.was = text_of(*then);
    out.was_step = then->step;
    out.was_part = then->kind == FactKind::Files ? then->value : std::string();
    out.was_name = then->name != told.name ? then->name : std::string();
  }
  if (now != nullptr) {
    out.is = text_of(*now);
    out.is_step = now->step;
    out.is_part = now->kind == FactKind::Files ? now->value : std::string();
  }
  // What is shown of both may be the same: quoted otherwise, or cut.
  if (then != nullptr && now != nullptr && out.was == out.is && !has_identity(told.kind)) {
    out.was = then->value;
    out.is = now->value;
  }
  return out;
}

/// All is there at both, in another order.
std::optional<Difference> order_difference(const StepFacts& then, const StepFacts& now) {
  for (std::size_t i = 0; i < now.facts.size(); ++i) {
    if (then.facts[i].place != now.facts[i].place) {
      Difference out;
      out.kind = now.facts[i].kind;
      out.change = ChangeKind::Order;
      out.name = now.facts[i].name;
      out.was_name = then.facts[i].name;
      return out;
    }
  }
  return std::nullopt;
}

bool has_text(const std::vector<StepFacts>& steps, const StepName& wanted) {
  return std::any_of(steps.begin(), steps.end(), [&](const StepFacts& step) {
    const StepName name = parse_name(step.name);
    return name.stage == wanted.stage && name.text == wanted.text;
  });
}

std::size_t shared_facts(const StepFacts& then, const StepFacts& now) {
  std::size_t shared = 0;
  while (shared < std::min(then.facts.size(), now.facts.size()) &&
         then.facts[shared].place == now.facts[shared].place &&
         then.facts[shared].value == now.facts[shared].value) {
    ++shared;
  }
  return shared;
}

/// An image, a URL or a commit as it was found, and no step.
bool is_source(const StepFacts& step) {
  return step.facts.size() == 1 && step.facts.front().place == "source";
}

}  // namespace

std::vector<Difference> differences(const StepFacts& then, const StepFacts& now) {
  const FactsByPlace earlier = by_place(then);
  const FactsByPlace later = by_place(now);
  std::vector<Difference> out;
  for (const Fact& fact : now.facts) {
    const auto found = earlier.find(fact.place);
    if (found == earlier.end()) {
      out.push_back(difference(nullptr, &fact));
    } else if (!is_same(*found->second, fact)) {
      out.push_back(difference(found->second, &fact));
    }
  }
  for (const Fact& fact : then.facts) {
    if (!later.contains(fact.place)) {
      out.push_back(difference(&fact, nullptr));
    }
  }
  if (out.empty() && then.facts.size() == now.facts.size()) {
    if (auto order = order_difference(then, now)) {
      out.push_back(std::move(*order));
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Difference& a, const Difference& b) { return a.kind < b.kind; });
  return out;
}

StepName parse_name(std::string_view name) {
  StepName out;
  out.text = name;
  const std::size_t close = name.find("] ");
  if (name.starts_with('[') && close != std::string_view::npos) {
    std::string_view inside = name.substr(1, close - 1);
    const std::size_t blank = inside.rfind(' ');
    std::string_view count = inside.substr(blank == std::string_view::npos ? 0 : blank + 1);
    while (blank != std::string_view::npos && inside.ends_with(' ')) {
      inside.remove_suffix(1);
    }
    const std::size_t slash = count.find('/');
    if (slash != std::string_view::npos &&
        std::from_chars(count.data(), count.data() + slash, out.number).ptr ==
            count.data() + slash) {
      std::string_view stage =
          blank == std::string_view::npos ? std::string_view() : inside.substr(0, blank);
      while (stage.ends_with(' ')) {  // numbers are padded
        stage.remove_suffix(1);
      }
      out.stage = stage;
      out.text = name.substr(close + 2);
    }
  }
  out.verb = out.text.substr(0, out.text.find(' '));
  return out;
}

std::optional<int> distance(const Candidate& candidate, const StepFacts& now,
                            const std::vector<StepFacts>& of) {
  const StepFacts& then = (*candidate.build)[candidate.step];
  if (then.facts.empty() || then.name.empty() || is_source(then) != is_source(now)) {
    return std::nullopt;  // the download of an ADD has the name of the ADD
  }
  const StepName was = parse_name(then.name);
  const StepName is = parse_name(now.name);
  if (was.verb != is.verb) {
    return std::nullopt;
  }
  if (candidate.same_subject) {
    if (then.name == now.name) {
      return 0;
    }
    if (was.stage == is.stage && was.text == is.text) {
      return 1;
    }
    // The instruction was edited, unless it still stands elsewhere.
    if (was.stage == is.stage && was.number == is.number && !has_text(of, was) &&
        !has_text(*candidate.build, is)) {
      return 2;
    }
  }
  if (was.text == is.text) {
    return candidate.same_subject ? 3 : 4;
  }
  constexpr int kFarthest = 1000;
  const auto shared = static_cast<int>(std::min<std::size_t>(shared_facts(then, now), 900));
  return shared > 0 && is.number > 0 ? std::optional(kFarthest - shared) : std::nullopt;
}

}  // namespace mybuild::explain

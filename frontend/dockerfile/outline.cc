// SPDX-License-Identifier: Apache-2.0
// What --call=outline lists, of the notes that an Inspector took.
#include "frontend/dockerfile/inspector.h"
#include "frontend/dockerfile/lint.h"

#include <algorithm>
#include <set>

namespace mybuild::frontend {

namespace {

using checks::Outline;

/// The ARGs before the first FROM, and which of them each one's default is made of.
struct GlobalArg {
  Outline::Argument argument;
  std::vector<std::string> parts;
};
using GlobalArgs = std::map<std::string, GlobalArg, std::less<>>;

GlobalArgs global_args(const StagePlan& plan) {
  GlobalArgs out;
  for (const Step& step : plan.script().global_args) {
    for (const ArgStep::Argument& one : std::get<ArgStep>(step.body).arguments) {
      const std::string* value = plan.global_args().find(one.name);
      GlobalArg global{.argument = {.name = one.name,
                                    .description = description_of(step.comments, one.name),
                                    .value = value == nullptr ? std::string() : *value,
                                    .lines = {step.lines.first, step.lines.last}},
                       .parts = {}};
      if (one.value && !plan.input().build_args.contains(one.name)) {
        const auto word = expand(*one.value, plan.global_args(), {.escape = plan.escape()});
        global.parts = word ? word->used : std::vector<std::string>();
      }
      out.insert_or_assign(one.name, std::move(global));
    }
  }
  return out;
}

/// The stages that the target is made of: itself, what it stands on, what its steps name.
std::vector<int> visiting_order(const StagePlan& plan) {
  std::vector<int> order;
  std::vector<int> todo{plan.target()};
  std::set<int> seen;
  while (!todo.empty()) {
    const int index = todo.back();
    todo.pop_back();
    if (index == kNoStage || !seen.insert(index).second) {
      continue;
    }
    order.push_back(index);
    const PlannedStage& stage = plan.stage(index);
    for (auto step = stage.steps.rbegin(); step != stage.steps.rend(); ++step) {
      todo.insert(todo.end(), step->sources.rbegin(), step->sources.rend());
    }
    todo.push_back(stage.parent);
  }
  return order;
}

class Collector {
 public:
  Collector(const StagePlan& plan, Outline& out)
      : plan_(plan), globals_(global_args(plan)), out_(out) {}

  void add(const Outline::Argument& argument) {
    if (names_.insert(argument.name).second) {
      out_.args.push_back(argument);
    }
  }
  void add_global(const std::string& name) {
    const auto found = globals_.find(name);
    if (found == globals_.end() || names_.contains(name)) {
      return;
    }
    add(found->second.argument);
    for (const std::string& part : found->second.parts) {
      add_global(part);
    }
  }
  void add_from(const StageText& text) {
    const FromStep& from = std::get<FromStep>(text.from.body);
    for (const std::string& word : {from.base, from.platform}) {
      const auto expanded = expand(word, plan_.global_args(), {.escape = plan_.escape()});
      for (const std::string& name : expanded ? expanded->used : std::vector<std::string>()) {
        add_global(name);
      }
    }
  }

 private:
  const StagePlan& plan_;
  GlobalArgs globals_;
  Outline& out_;
  std::set<std::string> names_;
};

void add_all(const std::vector<Outline::Credential>& from, std::vector<Outline::Credential>& to) {
  for (const Outline::Credential& one : from) {
    const auto known = std::find_if(to.begin(), to.end(),
                                    [&](const auto& other) { return other.name == one.name; });
    if (known == to.end()) {
      to.push_back(one);
    } else {
      known->required = known->required || one.required;
    }
  }
}

void add_all(const std::vector<Outline::Cache>& from, std::vector<Outline::Cache>& to) {
  for (const Outline::Cache& one : from) {
    if (std::none_of(to.begin(), to.end(), [&](const auto& other) { return other.id == one.id; })) {
      to.push_back(one);
    }
  }
}

template <class Item>
void sort_by_line(std::vector<Item>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.lines.first < b.lines.first; });
}

}  // namespace

checks::Outline Inspector::outline() const {
  Outline out;
  const PlannedStage& target = plan_.stage(plan_.target());
  out.name = target.name();
  if (target.text != nullptr) {
    out.description = description_of(target.text->from.comments, out.name);
  }
  Collector args(plan_, out);
  for (const int index : visiting_order(plan_)) {
    const Notes& notes = notes_[static_cast<std::size_t>(index)];
    std::for_each(notes.args.begin(), notes.args.end(), [&](auto& one) { args.add(one); });
    std::for_each(notes.inherited.begin(), notes.inherited.end(),
                  [&](auto& name) { args.add_global(name); });
    if (plan_.stage(index).text != nullptr) {
      args.add_from(*plan_.stage(index).text);
    }
    add_all(notes.secrets, out.secrets);
    add_all(notes.ssh, out.ssh);
    add_all(notes.caches, out.caches);
  }
  sort_by_line(out.args);
  sort_by_line(out.secrets);
  sort_by_line(out.ssh);
  sort_by_line(out.caches);
  return out;
}

}  // namespace mybuild::frontend

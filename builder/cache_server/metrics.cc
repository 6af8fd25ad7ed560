// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/metrics.h"

#include <fmt/format.h>

namespace mybuild::cache_server {

namespace {

std::string head_of(const std::string& name, const std::string& help, std::string_view type) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

}  // namespace

void Metrics::add(std::string_view name, std::string_view labels, double amount) {
  const std::lock_guard lock(mutex_);
  auto counter = counters_.find(name);
  if (counter == counters_.end()) {
    counter = counters_.emplace(name, Counter()).first;
  }
  auto& by_labels = counter->second.by_labels;
  const auto value = by_labels.find(labels);
  if (value == by_labels.end()) {
    by_labels.emplace(labels, amount);
  } else {
    value->second += amount;
  }
}

void Metrics::show(std::string name, std::string help, std::function<double()> value) {
  const std::lock_guard lock(mutex_);
  shown_[std::move(name)] = {.help = std::move(help), .value = std::move(value)};
}

void Metrics::describe(std::string name, std::string help) {
  const std::lock_guard lock(mutex_);
  counters_[std::move(name)].help = std::move(help);
}

std::string Metrics::text() {
  std::map<std::string, Shown> shown;
  std::string text;
  {
    const std::lock_guard lock(mutex_);
    shown = shown_;
    for (const auto& [name, counter] : counters_) {
      text += head_of(name, counter.help, "counter");
      for (const auto& [labels, value] : counter.by_labels) {
        text += labels.empty() ? fmt::format("{} {}\n", name, value)
                               : fmt::format("{}{{{}}} {}\n", name, labels, value);
      }
    }
  }
  for (const auto& [name, each] : shown) {  // without the lock: they ask others
    text += head_of(name, each.help, "gauge") + fmt::format("{} {}\n", name, each.value());
  }
  return text;
}

}  // namespace mybuild::cache_server

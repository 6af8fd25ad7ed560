// SPDX-License-Identifier: Apache-2.0
// Metrics: counters by name and labels, and values that are asked for when somebody looks, as text
// for Prometheus (its exposition format 0.0.4). Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cache_server {

class Metrics {
 public:
  /// `labels`: as they stand between the braces, values without quotes in them: `result="hit"`.
  void add(std::string_view name, std::string_view labels, double amount = 1);
  /// `value` is called by text(), on any thread.
  void show(std::string name, std::string help, std::function<double()> value);
  /// Counters come with `help` only when it was given before.
  void describe(std::string name, std::string help);
  std::string text();

 private:
  struct Counter {
    std::string help;
    std::map<std::string, double, std::less<>> by_labels;
  };
  struct Shown {
    std::string help;
    std::function<double()> value;
  };
  std::mutex mutex_;
  std::map<std::string, Counter, std::less<>> counters_;
  std::map<std::string, Shown> shown_;
};

}  // namespace mybuild::cache_server

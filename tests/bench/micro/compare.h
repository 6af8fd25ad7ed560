// SPDX-License-Identifier: Apache-2.0
// A figure of ours, and beside it what the machine or a library takes for the same input: the
// limit. Each program defines add_comparisons(), which only says what there is: inputs are made
// when a comparison runs. The table is the program's output; --benchmark_filter and all other flags
// of Google Benchmark work.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::bench {

/// What is done with an input, once per call.
struct Work {
  std::function<void()> ours;
  std::function<void()> limit;
  /// How much one call handles: bytes, or else items.
  std::uint64_t bytes = 0;
  std::uint64_t items = 0;
  std::function<void()> after = {};  // each call, not timed
};

/// What is measured: CPU time of the calling thread, or, where others or the kernel work, the
/// clock.
enum class Measured { Cpu, Wall };

struct Comparison {
  std::string name;
  std::string limit;  // what the other one is, in a few words
  Measured measured = Measured::Cpu;
  std::function<Work()> prepare;
};

void compare(Comparison comparison);
/// The name of the box, for the head of the table, and its comparisons.
std::string_view add_comparisons();

[[noreturn]] void give_up(const std::string& message);
/// The value, or the end of the program with the error's message.
template <class T>
T must(Result<T> result) {
  if (!result) {
    give_up(result.error().message());
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(result).value();
  }
}

/// Text like that of sources and logs, which gzip makes a quarter of; the same for the same seed.
std::string make_text(std::size_t size, std::uint64_t seed);
/// Names of files as in a checkout, "pkg03/module017.cc", `count` of them, 100 in each directory.
std::vector<std::string> make_paths(std::size_t count);

}  // namespace mybuild::bench

// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/micro/compare.h"

#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <ostream>
#include <random>

#include <benchmark/benchmark.h>

namespace mybuild::bench {

namespace {

constexpr std::string_view kLimit = "/limit";

using Prepare = std::function<Work()>;

/// Both sides of a comparison run on one input, made when the first of them does.
class Input {
 public:
  explicit Input(Prepare prepare) : prepare_(std::move(prepare)) {}
  Work& work() {
    if (!work_) {
      work_ = prepare_();
    }
    return *work_;
  }

 private:
  Prepare prepare_;
  std::optional<Work> work_;
};

void run(benchmark::State& state, const Work& work, const std::function<void()>& side) {
  for ([[maybe_unused]] const auto _ : state) {
    side();
    if (work.after) {
      state.PauseTiming();
      work.after();
      state.ResumeTiming();
    }
  }
  const auto rounds = static_cast<std::int64_t>(state.iterations());
  if (work.bytes > 0) {
    state.SetBytesProcessed(rounds * static_cast<std::int64_t>(work.bytes));
  } else {
    state.SetItemsProcessed(rounds * static_cast<std::int64_t>(work.items));
  }
}

std::string rate_text(double rate, bool is_bytes) {
  constexpr double kStep = 1000;
  const char* const bytes[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
  const char* const items[] = {"/s", "k/s", "M/s", "G/s", "T/s"};
  std::size_t unit = 0;
  for (; rate >= kStep && unit + 1 < std::size(bytes); ++unit) {
    rate /= kStep;
  }
  return fmt::format("{:.{}f} {:4}", rate, rate < 10 ? 2 : 1, is_bytes ? bytes[unit] : items[unit]);
}

/// A line per comparison, as soon as both sides have run. Of repetitions the best counts, since
/// others on the machine only ever slow down.
class Table final : public benchmark::BenchmarkReporter {
 public:
  Table(std::string_view box, std::map<std::string, std::string> limits)
      : box_(box), limits_(std::move(limits)) {
    SetErrorStream(&silent_);  // "nothing fits the filter", of each program
  }

  bool ReportContext(const Context&) override {
    fmt::print("{:24}{:>12} {:>12} {:>8}  {}\n", box_, "ours", "limit", "share", "the limit is");
    return true;
  }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type == Run::RT_Iteration) {
        add(run);
      }
    }
  }

 private:
  void add(const Run& run) {
    const auto bytes = run.counters.find("bytes_per_second");
    const auto items = run.counters.find("items_per_second");
    const bool is_bytes = bytes != run.counters.end();
    const double rate = is_bytes ? bytes->second.value : items->second.value;
    const std::string& name = run.run_name.function_name;
    double& best = best_[name];
    best = std::max(best, rate);
    if (name.ends_with(kLimit) && run.repetition_index + 1 >= run.repetitions) {
      const std::string ours = name.substr(0, name.size() - kLimit.size());
      fmt::print("{:24}{:>12} {:>12} {:>6.1f} %  {}\n", ours, rate_text(best_[ours], is_bytes),
                 rate_text(best, is_bytes), 100 * best_[ours] / best, limits_[ours]);
      std::fflush(stdout);
    }
  }

  std::ostream silent_{nullptr};
  std::string_view box_;
  std::map<std::string, std::string> limits_;
  std::map<std::string, double> best_;
};

std::map<std::string, std::string>& limits() {
  static std::map<std::string, std::string> names;
  return names;
}

}  // namespace

void compare(Comparison comparison) {
  limits()[comparison.name] = comparison.limit;
  const auto input = std::make_shared<Input>(comparison.prepare);
  const auto add = [&](const std::string& name, std::function<void()> Work::*side) {
    benchmark::internal::Benchmark* const added =
        benchmark::RegisterBenchmark(name.c_str(), [input, side](benchmark::State& state) {
          const Work& work = input->work();
          run(state, work, work.*side);
        });
    if (comparison.measured == Measured::Wall) {
      added->UseRealTime();
    }
  };
  add(comparison.name, &Work::ours);
  add(comparison.name + std::string(kLimit), &Work::limit);
}

void give_up(const std::string& message) {
  fmt::print(stderr, "{}\n", message);
  std::exit(2);
}

std::string make_text(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> words(4000);
  for (std::string& word : words) {
    word.resize(2 + random() % 9);
    for (char& letter : word) {
      letter = static_cast<char>('a' + random() % 26);
    }
  }
  std::string text;
  text.reserve(size + 16);
  while (text.size() < size) {
    // A product of two: few words are most of the text.
    const std::size_t at = (random() % 64) * (random() % 63);
    text.append(words[at]).push_back(random() % 10 == 0 ? '\n' : ' ');
  }
  text.resize(size);
  return text;
}

std::vector<std::string> make_paths(std::size_t count) {
  std::vector<std::string> paths;
  paths.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    paths.push_back(fmt::format("pkg{:03}/module{:05}.cc", i / 100, i));
  }
  return paths;
}

}  // namespace mybuild::bench

/// 1: no comparison fits the filter. 2: something failed.
int main(int argc, char** argv) {
  const std::string_view box = mybuild::bench::add_comparisons();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  mybuild::bench::Table table(box, mybuild::bench::limits());
  return benchmark::RunSpecifiedBenchmarks(&table) == 0 ? 1 : 0;
}

// SPDX-License-Identifier: Apache-2.0
// What the patterns of a .dockerignore cost per file of the context.
#include "frontend/ignore/dockerignore.h"
#include "frontend/ignore/pattern.h"
#include "tests/bench/micro/compare.h"

#include <fnmatch.h>

#include <benchmark/benchmark.h>

namespace mybuild::bench {

namespace {

constexpr std::string_view kIgnore =
    "# of a checkout\n.git\n**/node_modules\n**/*.o\n**/*.pyc\n*.md\n!README.md\ndist/\nbuild*\n"
    "**/.cache\npkg00?/module0000[1-3].cc\ndocs/**/*.html\ntmp\n.env*\n**/__pycache__/**\n";

struct Matching {
  frontend::PatternMatcher matcher;
  std::vector<std::string> patterns;
  std::vector<std::string> paths = make_paths(20'000);
};

std::shared_ptr<Matching> make_matching() {
  const std::vector<std::string> patterns = frontend::parse_dockerignore(kIgnore);
  return std::make_shared<Matching>(
      Matching{.matcher = must(frontend::PatternMatcher::compile(patterns)), .patterns = patterns});
}

Work matching() {
  const std::shared_ptr<Matching> all = make_matching();
  return {.ours =
              [all] {
                for (const std::string& path : all->paths) {
                  benchmark::DoNotOptimize(all->matcher.matches(path));
                }
              },
          .limit =
              [all] {
                for (const std::string& path : all->paths) {
                  benchmark::DoNotOptimize(std::hash<std::string>()(path));
                }
              },
          .items = all->paths.size()};
}

Work matching_as_fnmatch() {
  const std::shared_ptr<Matching> all = make_matching();
  Work work = matching();
  work.limit = [all] {
    for (const std::string& path : all->paths) {
      for (const std::string& pattern : all->patterns) {
        benchmark::DoNotOptimize(::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME));
      }
    }
  };
  return work;
}

}  // namespace

std::string_view add_comparisons() {
  compare({.name = "14 patterns, files", .limit = "one hash of the path", .prepare = matching});
  compare(
      {.name = "the same", .limit = "fnmatch(3), not the parents", .prepare = matching_as_fnmatch});
  return "ignore";
}

}  // namespace mybuild::bench

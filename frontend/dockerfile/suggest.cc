// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/suggest.h"

#include "frontend/dockerfile/characters.h"
#include "snapshotter/base/edit_distance.h"

#include <algorithm>
#include <vector>

namespace mybuild::frontend {

namespace {

constexpr std::size_t kLongest = 64;  // nobody mistypes longer names beyond recognition
constexpr std::size_t kMaxDistance = 3;

}  // namespace

std::string closest(std::string_view said, std::span<const std::string> known) {
  if (said.empty() || said.size() > kLongest) {
    return {};
  }
  const std::string wanted = to_lower(said);
  std::string_view best;
  std::size_t best_distance = std::min(kMaxDistance, (said.size() + 1) / 2) + 1;
  for (const std::string& name : known) {
    if (name.size() > kLongest) {
      continue;
    }
    const std::size_t distance = edit_distance(wanted, to_lower(name));
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best == said ? std::string() : std::string(best);
}

std::string did_you_mean(std::string_view said, std::span<const std::string> known) {
  const std::string best = closest(said, known);
  return best.empty() ? std::string() : "did you mean " + best + "?";
}

}  // namespace mybuild::frontend

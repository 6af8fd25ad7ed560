// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/suggest.h"

#include "frontend/dockerfile/characters.h"

#include <algorithm>
#include <vector>

namespace mybuild::frontend {

namespace {

constexpr std::size_t kLongest = 64;  // nobody mistypes longer names beyond recognition
constexpr std::size_t kMaxDistance = 3;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

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

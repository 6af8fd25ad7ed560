// SPDX-License-Identifier: Apache-2.0
// Every line of solver/key_schema.md holds, and the file has every line: its tables and the lines
// here name each other.
#include "snapshotter/base/file.h"
#include "tests/keys/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace mybuild::keys {
namespace {

const Lines& all_lines() {
  static const Lines all = [] {
    Lines joined;
    for (const auto& groups : {op_lines(), tree_lines()}) {
      for (const Lines& group : groups) {
        joined.insert(joined.end(), group.begin(), group.end());
      }
    }
    return joined;
  }();
  return all;
}

class KeyLine : public testing::TestWithParam<Line> {};

TEST_P(KeyLine, Holds) {
  const Line& line = GetParam();
  if (line.counts) {
    EXPECT_NE(line.before, line.after) << line.name << " is in no key";
  } else {
    EXPECT_EQ(line.before, line.after) << line.name << " changes a key";
  }
}

std::string test_name(const testing::TestParamInfo<Line>& info) {
  std::string name = info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Schema, KeyLine, testing::ValuesIn(all_lines()), test_name);

/// The cells of a table's row; none for another line of the file.
std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream text(row);
  std::string cell;
  if (!row.starts_with("| ") || !std::getline(text, cell, '|')) {
    return cells;
  }
  while (std::getline(text, cell, '|')) {
    const std::size_t first = cell.find_first_not_of(' ');
    cells.push_back(
        first == cell.npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
  }
  return cells;
}

/// Rows of the table below a heading, without its head.
std::vector<std::vector<std::string>> table(const std::string& heading) {
  std::ifstream file(MYBUILD_SOURCE_DIR "/solver/key_schema.md");
  std::vector<std::vector<std::string>> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) {
      inside = line == "## " + heading;
    } else if (inside) {
      rows.push_back(cells_of(line));
    }
  }
  std::erase_if(rows, [](const auto& cells) { return cells.size() < 2; });
  EXPECT_FALSE(rows.empty()) << "no table \"" << heading << "\"";
  if (!rows.empty()) {
    rows.erase(rows.begin());
  }
  return rows;
}

/// "args, env (all of it), cwd" → args, env, cwd.
std::vector<std::string> fields_of(std::string cell) {
  for (std::size_t open = cell.find(" ("); open != cell.npos; open = cell.find(" (")) {
    cell.erase(open, cell.find(')', open) - open + 1);
  }
  std::vector<std::string> fields;
  for (std::size_t at = 0; at < cell.size();) {
    const std::size_t end = std::min(cell.find(", ", at), cell.size());
    fields.push_back(cell.substr(at, end - at));
    at = end + 2;
  }
  return fields;
}

std::set<std::string> tested(bool counts) {
  std::set<std::string> names;
  for (const Line& line : all_lines()) {
    if (line.counts == counts) {
      names.insert(line.name);
    }
  }
  return names;
}

TEST(KeySchema, WhatIsInAKeyIsWhatIsTested) {
  std::set<std::string> written;
  for (const auto& cells : table("In a key")) {
    for (const std::string& field : fields_of(cells[1])) {
      written.insert(cells[0] + "." + field);
    }
  }
  EXPECT_EQ(written, tested(true));
}

TEST(KeySchema, WhatIsInNoKeyIsWhatIsTested) {
  std::set<std::string> written;
  for (const auto& cells : table("In no key")) {
    for (const std::string& field : fields_of(cells[1])) {
      written.insert(cells[0] + "." + field);
    }
  }
  EXPECT_EQ(written, tested(false));
}

/// The name of an end-to-end script, or of a story.
bool is_test(const std::string& name) {
  if (std::filesystem::exists(MYBUILD_SOURCE_DIR "/tests/e2e/" + name)) {
    return true;
  }
  std::ifstream file(MYBUILD_SOURCE_DIR "/tests/property/cache_stories.py");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str().find("\ndef " + name + "(t):\n") != std::string::npos;
}

TEST(KeySchema, WhatNoKeyCanSeeHasAnEndToEndTest) {
  for (const auto& cells : table("Nowhere near a key")) {
    for (const std::string& name : fields_of(cells[1])) {
      EXPECT_TRUE(is_test(name)) << name;
    }
  }
}

}  // namespace
}  // namespace mybuild::keys

// SPDX-License-Identifier: Apache-2.0
// testdata/checks/<Rule or case>/: each Dockerfile gives the findings in the file beside it.
// UPDATE_GOLDEN=1 writes what comes out.
#include "frontend/ignore/dockerignore.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "tests/frontend/fake_resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace mybuild::frontend::checks {
namespace {

namespace fs = std::filesystem;

const fs::path kCases = fs::path(MYBUILD_SOURCE_DIR) / "testdata/checks";

std::string read(const fs::path& path) {
  return read_file(path.string()).value_or("");
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kCases)) {
    if (entry.path().filename().string().ends_with("Dockerfile")) {
      names.push_back(fs::relative(entry.path(), kCases).string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// "UndefinedVar/bad.Dockerfile" has UndefinedVar/bad.<what> beside it.
fs::path beside(const std::string& name, const std::string& what) {
  std::string path = name.substr(0, name.size() - std::string_view("Dockerfile").size());
  return kCases / (path + what);
}

CheckReport check(const std::string& name) {
  FrontendInput input = testing_support::input_of(read(kCases / name));
  if (const fs::path args = beside(name, "args.json"); fs::exists(args)) {
    input.build_args = Json::parse(read(args)).get<std::map<std::string, std::string>>();
  }
  input.ignored = parse_dockerignore(read(beside(name, "dockerignore")));
  testing_support::FakeResolver resolver;
  return check_dockerfile(input, resolver);
}

/// One line each: what tools compare. Our own rules are marked unless the file asks for them.
std::string shown(const CheckReport& report) {
  std::string out;
  for (const Finding& finding : report.findings) {
    out += fmt::format("{}{}: {}\n", info(finding.rule).own && !finding.opted_in ? "(own) " : "",
                       finding.location.first_line, title_of(finding));
  }
  for (const std::string& image : report.unknown) {
    out += fmt::format("unknown: {}\n", image);
  }
  return report.error ? out + "error: " + message_of(*report.error) + "\n" : out;
}

class CheckGolden : public testing::TestWithParam<std::string> {};

TEST_P(CheckGolden, TheRulesSayWhatIsRecorded) {
  const fs::path recorded = beside(GetParam(), "findings");
  const std::string found = shown(check(GetParam()));
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(recorded, std::ios::binary) << found;
    GTEST_SKIP() << "rewritten";
  }
  EXPECT_EQ(read(recorded), found);
}

INSTANTIATE_TEST_SUITE_P(Cases, CheckGolden, testing::ValuesIn(case_names()), [](const auto& item) {
  std::string name = item.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '/' || c == '.'; }, '_');
  return name;
});

/// The rule of its folder strikes in the bad example and is silent in the good one.
TEST(Examples, EveryRuleHasAGoodAndABadOne) {
  for (const RuleInfo& rule : all_rules()) {
    for (const bool bad : {true, false}) {
      const std::string name = fmt::format("{}/{}.Dockerfile", rule.name, bad ? "bad" : "good");
      ASSERT_TRUE(fs::exists(kCases / name)) << name;
      const CheckReport report = check(name);
      const bool strikes = std::any_of(report.findings.begin(), report.findings.end(),
                                       [&](const Finding& f) { return f.rule == rule.rule; });
      EXPECT_EQ(bad, strikes) << name;
      EXPECT_FALSE(report.error) << name;
    }
  }
}

}  // namespace
}  // namespace mybuild::frontend::checks

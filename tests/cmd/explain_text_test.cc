// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/explain_text.h"

#include "cmd/mybuild/cli/elide.h"
#include "cmd/mybuild/progress/text.h"
#include "tests/cmd/golden.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mybuild::cli {
namespace {

using namespace explain;

const Time kNow{std::chrono::seconds(1'000'000)};
const std::string kDigestA = "sha256:" + std::string(64, 'a');
const std::string kDigestB = "sha256:" + std::string(64, 'b');

Difference changed(FactKind kind, std::string name, std::string was, std::string is) {
  Difference out;
  out.kind = kind;
  out.name = std::move(name);
  out.was = std::move(was);
  out.is = std::move(is);
  return out;
}

Difference files(std::vector<FileChange> list) {
  Difference out = changed(FactKind::Files, "the build context", "", "");
  out.files_known = true;
  out.files = std::move(list);
  return out;
}

Explanation sample() {
  Explanation out;
  out.build.id = "0123456789ab";
  out.build.created = 1'000'000 - 120;
  out.build.duration = 1234;
  out.build.subject = {.dockerfile = "Dockerfile",
                       .context = "/home/somebody/" + std::string(80, 'x') + "/project",
                       .target = "app",
                       .platforms = {"linux/arm64"}};
  out.build.error = "process \"/bin/sh -c make\" did not complete successfully: exit code: 2 " +
                    std::string(40, '.');
  out.build.steps = 9;
  out.build.found = 2;
  return out;
}

class Steps {
 public:
  StepExplanation& add(std::string name, StepState state, Reason reason) {
    StepExplanation step;
    step.index = static_cast<std::uint32_t>(all.steps.size());
    step.name = std::move(name);
    step.compared_step = step.name;
    step.compared_build = "ba9876543210";
    step.state = state;
    step.reason = reason;
    all.steps.push_back(std::move(step));
    return all.steps.back();
  }
  void add_changed(std::string name, Difference difference) {
    add(std::move(name), StepState::Ran, Reason::Changed).differences = {std::move(difference)};
  }
  Explanation all = sample();
};

Difference with(Difference difference, ChangeKind change) {
  difference.change = change;
  return difference;
}

Explanation all_reasons() {
  Steps steps;
  Difference base = changed(FactKind::Base, "busybox", kDigestA, kDigestB);
  steps.add("[1/9] FROM busybox", StepState::Source, Reason::Source).differences = {base};
  steps.add("[2/9] WORKDIR /src", StepState::HitByDefinition, Reason::FoundDefinition);
  steps.add("[3/9] COPY a b", StepState::HitByContent, Reason::FoundContent);
  steps.add("[3/9] RUN same", StepState::HitByDefinition, Reason::FoundDefinition).cause =
      Cause{.step = 1, .came_out_different = false, .difference = {}};
  steps.add("[4/9] RUN new", StepState::Ran, Reason::Unlike);
  steps.add("[4/9] RUN forced", StepState::Ran, Reason::Forced);
  steps.add("[5/9] RUN gone", StepState::Ran, Reason::Gone);
  steps.add("[6/9] RUN tried before", StepState::Failed, Reason::NeverFinished);
  steps.add("[7/9] COPY missing /", StepState::Failed, Reason::Unreadable);
  auto& caused = steps.add("[8/9] RUN after", StepState::Stopped, Reason::Changed);
  caused.differences = {changed(FactKind::Step, "[4/9] RUN forced", "1", "2"),
                        changed(FactKind::BuildArg, "V", "1", "2")};
  caused.cause = Cause{.step = 5, .came_out_different = true, .difference = {}};
  auto& found = steps.add("[8/9] RUN other", StepState::Ran, Reason::Changed);
  found.differences = {changed(FactKind::Step, "[3/9] COPY a b", "1", "2")};
  found.cause = Cause{.step = 2,
                      .came_out_different = false,
                      .difference = files({{"a", FileChangeKind::Content, "", ""}})};
  found.compared_step = "[8/9] RUN " + std::string(90, 'o');
  steps.add("[9/9] RUN never", StepState::NotReached, Reason::NotReached);
  steps.add("[9/9] RUN unneeded", StepState::NotNeeded, Reason::NotNeeded);
  steps.add("[9/9] RUN shared", StepState::MadeMeanwhile, Reason::FoundMeanwhile);
  return steps.all;
}

Explanation all_differences() {
  Steps steps;
  const std::string long_text = std::string(200, 'a') + "OLD" + std::string(200, 'z');
  std::string other = long_text;
  other.replace(200, 3, "NEW");
  for (int kind = 0; kind < static_cast<int>(FactKind::Source); ++kind) {
    steps.add_changed(fmt::format("[1/2] RUN kind {}", kind),
                      changed(static_cast<FactKind>(kind), "NAME", "1", "2"));
  }
  steps.add_changed("[1/2] RUN long", changed(FactKind::Command, "", long_text, other));
  steps.add_changed("[1/2] RUN control",
                    changed(FactKind::BuildArg, "V\x1b[31m", "a\nb\tc", "\x1b[31mred\x07"));
  const Difference variable = changed(FactKind::Variable, "V", "old", "new");
  steps.add_changed("[1/2] RUN added", with(variable, ChangeKind::Added));
  steps.add_changed("[1/2] RUN removed", with(variable, ChangeKind::Removed));
  Difference order = with(variable, ChangeKind::Order);
  order.was_name = "W";
  steps.add_changed("[1/2] RUN order", order);
  steps.add_changed("[1/2] ADD https://host/file /",
                    changed(FactKind::Source, "https://host/file", kDigestA, kDigestB));
  Difference base = changed(FactKind::Base, "alpine", kDigestA, kDigestB);
  base.was_name = "busybox";
  steps.add_changed("[1/2] RUN other base", base);
  Difference step = changed(FactKind::Step, "[2/3] RUN new", "1", "2");
  step.was_name = "[1/2] FROM busybox";
  steps.add_changed("[1/2] RUN other step", step);
  return steps.all;
}

Explanation all_files() {
  Steps steps;
  for (int kind = 0; kind <= static_cast<int>(FileChangeKind::Removed); ++kind) {
    steps.add_changed("[1/2] COPY . .",
                      files({{"src/app.c", static_cast<FileChangeKind>(kind), "was", "is"}}));
  }
  const FileChange deep{std::string(100, 'd') + "/" + std::string(100, 'f'),
                        FileChangeKind::Content, "", ""};
  steps.add_changed("[1/2] COPY . .", files({deep, deep, deep, deep}));
  steps.add_changed("[1/2] COPY . .", files({}));
  Difference stage = files({{"out/app", FileChangeKind::Content, "", ""}, deep});
  stage.name = "[build 3/4] RUN make";
  stage.is_step = 1;
  steps.add_changed("[2/2] COPY --from=build /out /", stage);
  stage.files.clear();
  stage.files_known = false;
  steps.add_changed("[2/2] COPY --from=build /out /", stage);
  return steps.all;
}

void expect_narrow(const std::string& text) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    EXPECT_LE(progress::display_width(line), 80U) << line;
    EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
    start = end + 1;
  }
}

TEST(ExplainText, FitsInto80ColumnsAndNamesEveryReason) {
  const std::string text = explanation_text(all_reasons(), kNow);
  expect_narrow(text);
  expect_golden("explain_reasons.txt", text);
}

TEST(ExplainText, NamesEveryKindOfDifference) {
  const std::string text = explanation_text(all_differences(), kNow);
  expect_narrow(text);
  expect_golden("explain_differences.txt", text);
}

TEST(ExplainText, NamesEveryKindOfFileChange) {
  const std::string text = explanation_text(all_files(), kNow);
  expect_narrow(text);
  expect_golden("explain_files.txt", text);
}

TEST(ExplainText, SaysWhyThereAreNoSteps) {
  Explanation explanation = sample();
  EXPECT_NE(explanation_text(explanation, kNow).find("failed before any of its steps"),
            std::string::npos);
  explanation.facts_lost = true;
  EXPECT_NE(explanation_text(explanation, kNow).find("no longer kept"), std::string::npos);
}

TEST(ExplainText, AFirstBuildSaysSoOnce) {
  Steps steps;
  steps.add("[1/2] RUN a", StepState::Ran, Reason::FirstBuild);
  steps.add("[2/2] RUN b", StepState::Ran, Reason::FirstBuild);
  const std::string text = explanation_text(steps.all, kNow);
  const std::size_t at = text.find("nothing like it was built here before");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(text.find("nothing like it", at + 1), std::string::npos);
}

TEST(ExplainJson, HasAllThatTheTextHas) {
  const auto json = nlohmann::json::parse(explanation_json(all_reasons()));
  EXPECT_EQ(json["id"], "0123456789ab");
  EXPECT_EQ(json["created"], "1970-01-12T13:44:40Z");
  EXPECT_EQ(json["steps"][0]["differences"][0]["kind"], "base");
  EXPECT_EQ(json["steps"][0]["differences"][0]["was"], kDigestA);
  EXPECT_EQ(json["steps"][5]["reason"], "no-cache");
  EXPECT_EQ(json["steps"][9]["cause"]["step"], "[4/9] RUN forced");
  EXPECT_EQ(json["steps"][9]["cause"]["came_out_different"], true);
  EXPECT_EQ(json["steps"][10]["cause"]["difference"]["files"][0]["path"], "a");
  EXPECT_EQ(json["steps"][12]["reason"], "not-needed");
}

TEST(ExplainList, HasALinePerBuild) {
  const auto text = build_list_text({sample().build}, "{{.ID}} {{.Status}} {{.Found}}", kNow);
  EXPECT_EQ(text.value(), "0123456789ab failed 2/9\n");
}

TEST(Elide, KeepsBothEndsAndWholeCharacters) {
  EXPECT_EQ(elide_middle("short", 10), "short");
  EXPECT_EQ(elide_middle("0123456789abcdef", 9), "0123…cdef");
  EXPECT_EQ(elide_middle("ääääääääää", 5), "ää…ää");
  EXPECT_EQ(elide_middle("日本語日本語", 7), "日…語");
}

TEST(Elide, OfTwoTextsTheDifferenceStays) {
  const std::string same(100, 's');
  const auto [was, is] = elide_pair(same + "1" + same, same + "2" + same, 40);
  EXPECT_NE(was.find('1'), std::string::npos);
  EXPECT_NE(is.find('2'), std::string::npos);
  EXPECT_LE(progress::display_width(was), 40U);
}

TEST(Wrap, BreaksAtBlanks) {
  EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("0123456789", 5), (std::vector<std::string>{"0123…"}));
}

}  // namespace
}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/explain_text.h"
#include "cmd/mybuild/cli/human_text.h"
#include "cmd/mybuild/cli/list_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

using explain::Difference;
using explain::Explanation;
using explain::StepExplanation;
using explain::StepState;
using OrderedJson = nlohmann::ordered_json;

// By the values of the enums.
constexpr std::string_view kKinds[] = {
    "command", "copy",  "file",     "directory", "platform", "build-arg", "env",
    "workdir", "user",  "hostname", "network",   "security", "add-host",  "shm-size",
    "ulimit",  "mount", "device",   "source",    "files",    "base",      "step"};
constexpr std::string_view kChanges[] = {"changed", "added", "removed", "order"};
constexpr std::string_view kFileChanges[] = {"content", "mode",       "owner", "type",
                                             "link",    "attributes", "added", "removed"};
constexpr std::string_view kReasons[] = {"source",           "found-by-definition",
                                         "found-by-content", "found-meanwhile",
                                         "first-build",      "unlike",
                                         "no-cache",         "changed",
                                         "result-gone",      "never-finished",
                                         "unreadable",       "not-reached",
                                         "not-needed"};

template <class Enum, std::size_t N>
std::string word(const std::string_view (&words)[N], Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? std::string(words[index]) : std::string();
}

/// The word for people, with dashes.
std::string state_name(StepState state) {
  std::string name(state_word(state));
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

class JsonMaker {
 public:
  explicit JsonMaker(const Explanation& explanation) : all_(explanation) {}

  OrderedJson make() const {
    const explain::BuildSummary& build = all_.build;
    OrderedJson steps = OrderedJson::array();
    for (const StepExplanation& step : all_.steps) {
      steps.push_back(step_json(step));
    }
    return OrderedJson{{"id", build.id},
                       {"created", date(build.created)},
                       {"dockerfile", build.subject.dockerfile},
                       {"context", build.subject.context},
                       {"target", build.subject.target},
                       {"platforms", build.subject.platforms},
                       {"image", build.image},
                       {"error", build.error},
                       {"duration_ms", build.duration},
                       {"repeats", build.repeats},
                       {"steps_total", build.steps},
                       {"steps_found", build.found},
                       {"facts_lost", all_.facts_lost},
                       {"steps", std::move(steps)}};
  }

  static std::string date(std::int64_t seconds) {
    return format_rfc3339(Time(std::chrono::seconds(seconds)));
  }

 private:
  std::string name_of(std::uint32_t index) const {
    for (const StepExplanation& step : all_.steps) {
      if (step.index == index) {
        return step.name;
      }
    }
    return {};
  }

  OrderedJson step_json(const StepExplanation& step) const {
    OrderedJson out{{"step", step.name},
                    {"line", step.line},
                    {"state", state_name(step.state)},
                    {"reason", word(kReasons, step.reason)}};
    if (!step.compared_build.empty()) {
      out["compared_with"] = {{"build", step.compared_build}, {"step", step.compared_step}};
    }
    if (!step.differences.empty()) {
      OrderedJson list = OrderedJson::array();
      for (const Difference& difference : step.differences) {
        list.push_back(difference_json(difference));
      }
      out["differences"] = std::move(list);
    }
    if (step.cause) {
      OrderedJson cause{{"step", name_of(step.cause->step)},
                        {"came_out_different", step.cause->came_out_different}};
      if (step.cause->difference) {
        cause["difference"] = difference_json(*step.cause->difference);
      }
      out["cause"] = std::move(cause);
    }
    return out;
  }

  static OrderedJson difference_json(const Difference& difference) {
    OrderedJson out{{"kind", word(kKinds, difference.kind)},
                    {"change", word(kChanges, difference.change)},
                    {"name", difference.name},
                    {"text", fmt::format("{}", fmt::join(difference_lines(difference), " "))},
                    {"was", difference.was},
                    {"is", difference.is}};
    if (!difference.was_name.empty()) {
      out["was_name"] = difference.was_name;
    }
    if (difference.kind == explain::FactKind::Files) {
      out["files_known"] = difference.files_known;
      OrderedJson files = OrderedJson::array();
      for (const explain::FileChange& file : difference.files) {
        files.push_back({{"path", file.path},
                         {"change", word(kFileChanges, file.kind)},
                         {"was", file.was},
                         {"is", file.is}});
      }
      out["files"] = std::move(files);
    }
    return out;
  }

  const Explanation& all_;
};

constexpr ListField kFields[] = {
    {"Context", "CONTEXT"},       {"CreatedAt", "CREATED AT"}, {"CreatedSince", "CREATED"},
    {"Dockerfile", "DOCKERFILE"}, {"Found", "FOUND"},          {"ID", "BUILD"},
    {"Image", "IMAGE"},           {"Status", "STATUS"},        {"Target", "TARGET"}};
constexpr ListStyle kStyle = {
    .fields = kFields,
    .columns = "{{.ID}}\t{{.CreatedSince}}\t{{.Status}}\t{{.Found}}\t{{.Context}}"};

}  // namespace

std::string explanation_json(const Explanation& explanation) {
  return JsonMaker(explanation).make().dump(-1, ' ', false, OrderedJson::error_handler_t::replace) +
         "\n";
}

Result<std::string> build_list_text(const std::vector<explain::BuildSummary>& builds,
                                    std::string_view format, Time now) {
  std::vector<ListRow> rows;
  for (const explain::BuildSummary& build : builds) {
    rows.push_back({{"Context", build.subject.context},
                    {"CreatedAt", JsonMaker::date(build.created)},
                    {"CreatedSince", ago(Time(std::chrono::seconds(build.created)), now)},
                    {"Dockerfile", build.subject.dockerfile},
                    {"Found", fmt::format("{}/{}", build.found, build.steps)},
                    {"ID", build.id},
                    {"Image", build.image},
                    {"Status", build.error.empty() ? "done" : "failed"},
                    {"Target", build.subject.target}});
  }
  return list_text(kStyle, rows, format);
}

}  // namespace mybuild::cli

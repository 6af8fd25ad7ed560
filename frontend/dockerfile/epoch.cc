// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/epoch.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/expand.h"

#include <algorithm>
#include <charconv>

namespace mybuild::frontend {

namespace {

constexpr std::int64_t kLast = 253402300799;  // the end of 9999, which RFC 3339 can still write

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool is_number = error == std::errc() && stop == end;
  return is_number && value >= 0 && value <= kLast ? std::optional(value) : std::nullopt;
}

bool is_source_only(const StageText& stage, const Script& script, const EnvList& global_args) {
  const auto base =
      expand(std::get<FromStep>(stage.from.body).base, global_args, {.escape = script.escape});
  if (!base || base->text != "scratch") {
    return false;
  }
  int adds = 0;
  for (const Step& step : stage.steps) {
    const auto* copy = std::get_if<CopyStep>(&step.body);
    const bool is_add =
        copy != nullptr && copy->is_add && copy->sources.size() == 1 && copy->files.empty();
    if (!is_add && !std::holds_alternative<ArgStep>(step.body)) {
      return false;
    }
    adds += is_add ? 1 : 0;
  }
  return adds == 1;
}

}  // namespace

Result<std::optional<std::int64_t>> read_epoch(const std::string& value, bool is_context,
                                               const Script& script, const EnvList& global_args) {
  using Epoch = std::optional<std::int64_t>;
  if (value.empty()) {
    return Epoch();
  }
  if (const Epoch seconds = parse_seconds(value)) {
    return seconds;
  }
  if (value == "context" || is_context) {
    return Epoch();
  }
  const auto stage =
      std::find_if(script.stages.begin(), script.stages.end(), [&](const StageText& text) {
        return equal_fold(std::get<FromStep>(text.from.body).name, value);
      });
  if (stage == script.stages.end()) {
    return invalid_argument("invalid SOURCE_DATE_EPOCH: {}", value)
        .with_hint("give the seconds since 1970, or \"context\", a named context or a stage");
  }
  if (!is_source_only(*stage, script, global_args)) {
    return invalid_argument("SOURCE_DATE_EPOCH: the stage \"{}\" has no time of its own", value)
        .with_hint("it takes FROM scratch and one ADD of a URL, nothing else");
  }
  return unsupported("SOURCE_DATE_EPOCH={}: ADD from a URL is not supported yet", value)
      .with_hint("give the seconds since 1970");
}

}  // namespace mybuild::frontend

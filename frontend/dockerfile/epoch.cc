// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/epoch.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/copy_source.h"
#include "frontend/dockerfile/expand.h"
#include "frontend/dockerfile/main_context.h"

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
  return is_number && is_epoch(value) ? std::optional(value) : std::nullopt;
}

Epoch epoch_of(std::optional<solver::SourceOp> source) {
  return source ? Epoch(std::move(*source)) : Epoch();
}

Error no_time(const StageText& stage) {
  return invalid_argument("SOURCE_DATE_EPOCH: the stage \"{}\" has no time of its own",
                          std::get<FromStep>(stage.from.body).name)
      .with_hint("it takes FROM scratch and one ADD of a URL or a git repository, nothing else");
}

/// The variables of a stage that is only a source.
class SourceStage {
 public:
  SourceStage(const StageText& stage, const EpochScope& scope)
      : stage_(stage), scope_(scope), env_(scope.global_args) {
    env_.set(kSourceDateEpoch, "");  // it is what is being looked for
  }

  Result<solver::SourceOp> read() {
    const std::string base = TRY(expanded(std::get<FromStep>(stage_.from.body).base));
    std::optional<solver::SourceOp> source;
    for (const Step& step : stage_.steps) {
      const auto* add = std::get_if<CopyStep>(&step.body);
      if (const auto* arg = std::get_if<ArgStep>(&step.body)) {
        TRY(take(*arg));
      } else if (add == nullptr || source) {
        return no_time(stage_);
      } else {
        source = TRY(read_add(*add));
      }
    }
    if (base != "scratch" || !source) {
      return no_time(stage_);
    }
    return std::move(*source);
  }

 private:
  Result<std::string> expanded(const std::string& word) const {
    auto out = TRY(expand(word, env_, {.escape = scope_.script.escape}));
    return std::move(out.text);
  }

  Status take(const ArgStep& arg) {
    const auto& given = scope_.input.build_args;
    for (const ArgStep::Argument& argument : arg.arguments) {
      if (const auto found = given.find(argument.name); found != given.end()) {
        env_.set(argument.name, found->second);
      } else if (argument.value) {
        const std::string value = TRY(expanded(*argument.value));
        env_.set(argument.name, value);
      }
    }
    return {};
  }

  Result<solver::SourceOp> read_add(const CopyStep& add) const {
    if (!add.is_add || add.sources.size() != 1 || !add.files.empty()) {
      return no_time(stage_);
    }
    const std::string name = TRY(expanded(add.sources[0]));
    const std::string checksum = TRY(expanded(add.checksum));
    auto remote = TRY(remote_source(add, name, checksum));
    if (!remote) {
      return no_time(stage_);
    }
    return std::move(remote->op);
  }

  const StageText& stage_;
  const EpochScope& scope_;
  EnvList env_;
};

}  // namespace

bool is_epoch(std::int64_t seconds) {
  return seconds >= 0 && seconds <= kLast;
}

Result<Epoch> read_epoch(const std::string& value, const EpochScope& scope) {
  if (value.empty()) {
    return Epoch();
  }
  if (const auto seconds = parse_seconds(value)) {
    return Epoch(*seconds);
  }
  if (value == "context") {
    return epoch_of(timed_source(scope.input.context));
  }
  if (scope.context != nullptr) {
    return epoch_of(timed_source(*scope.context));
  }
  const auto& stages = scope.script.stages;
  const auto stage = std::find_if(stages.begin(), stages.end(), [&](const StageText& text) {
    return equal_fold(std::get<FromStep>(text.from.body).name, value);
  });
  if (stage == stages.end()) {
    return invalid_argument("invalid SOURCE_DATE_EPOCH: {}", value)
        .with_hint("give the seconds since 1970, or \"context\", a named context or a stage");
  }
  auto source = TRY(SourceStage(*stage, scope).read());
  return Epoch(std::move(source));
}

}  // namespace mybuild::frontend

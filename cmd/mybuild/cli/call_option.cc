// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/call_option.h"

#include "cmd/mybuild/cli/values.h"

#include <algorithm>
#include <array>

namespace mybuild::cli {

namespace {

using builder::Call;

struct CallName {
  std::string_view word;
  Call call;
};
constexpr std::array kCalls{CallName{"build", Call::Build}, CallName{"check", Call::Check},
                            CallName{"lint", Call::Check}, CallName{"outline", Call::Outline},
                            CallName{"targets", Call::Targets}};

struct FormatName {
  std::string_view word;
  AnswerFormat format;
};
constexpr std::array kFormats{
    FormatName{"text", AnswerFormat::Text}, FormatName{"json", AnswerFormat::Json},
    FormatName{"sarif", AnswerFormat::Sarif}, FormatName{"github", AnswerFormat::Github}};

Status take_method(std::string_view word, CallOption& option) {
  const auto* found = std::find_if(kCalls.begin(), kCalls.end(),
                                   [&](const CallName& name) { return name.word == word; });
  if (found == kCalls.end()) {
    return unsupported("there is no call '{}'", word)
        .with_hint("it can be build, check, outline or targets");
  }
  option.call = found->call;
  return {};
}

Status take_format(std::string_view word, CallOption& option) {
  const auto* found = std::find_if(kFormats.begin(), kFormats.end(),
                                   [&](const FormatName& name) { return name.word == word; });
  if (found == kFormats.end()) {
    return unsupported("there is no format '{}'", word)
        .with_hint("it can be text, json, sarif or github");
  }
  option.format = found->format;
  return {};
}

Status take_field(std::string_view field, CallOption& option) {
  const auto equals = field.find('=');
  if (equals == std::string_view::npos) {
    return take_method(field, option);
  }
  const std::string_view name = field.substr(0, equals);
  const std::string_view value = field.substr(equals + 1);
  if (name == "format") {
    return take_format(value, option);
  }
  if (name == "ignorestatus") {
    option.ignore_status = TRY(parse_bool(value));
    return {};
  }
  return invalid_argument("unknown field '{}'", name).with_hint("it can be format, ignorestatus");
}

bool is_for_checks(AnswerFormat format) {
  return format == AnswerFormat::Sarif || format == AnswerFormat::Github;
}

}  // namespace

Result<CallOption> parse_call(std::string_view text) {
  CallOption option;
  for (const std::string& field : TRY(parse_csv(text))) {
    TRY(take_field(field, option));
  }
  if (option.call != Call::Check && is_for_checks(option.format)) {
    return invalid_argument("only call=check has the formats sarif and github");
  }
  return option;
}

std::string print_answer(const builder::CallAnswer& answer, AnswerFormat format) {
  if (const auto* report = std::get_if<frontend::checks::CheckReport>(&answer)) {
    if (format == AnswerFormat::Sarif) {
      return to_sarif(*report);
    }
    if (format == AnswerFormat::Github) {
      return to_github(*report);
    }
  }
  return std::visit(
      [&](const auto& one) { return format == AnswerFormat::Json ? to_json(one) : to_text(one); },
      answer);
}

}  // namespace mybuild::cli

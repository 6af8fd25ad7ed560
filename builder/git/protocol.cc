// SPDX-License-Identifier: Apache-2.0
#include "builder/git/protocol.h"

#include "snapshotter/base/json.h"

#include <algorithm>

namespace mybuild::git {

namespace {

constexpr int kLastKind = static_cast<int>(ErrorKind::Internal);

struct Encoder {
  Json operator()(const HelperProgress& progress) const {
    return {{"progress", progress.text},
            {"current", progress.current},
            {"total", progress.total},
            {"bytes", progress.bytes}};
  }
  Json operator()(const HelperWarning& warning) const { return {{"warning", warning.text}}; }
  Json operator()(const HelperResult& result) const {
    return {{"result", result.commit},
            {"object", result.object},
            {"refName", result.ref_name},
            {"time", result.time}};
  }
  Json operator()(const Error& error) const {
    return {{"error", error.message()},
            {"kind", static_cast<int>(error.kind())},
            {"hint", error.hint()}};
  }
};

Result<std::uint64_t> count(const JsonField& object, std::string_view name) {
  const JsonField field = TRY(object.field(name));
  const std::int64_t number = TRY(field.integer_or(0));
  return static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
}

Result<std::string> text(const JsonField& object, std::string_view name) {
  const JsonField field = TRY(object.field(name));
  return field.string_or("");
}

Result<bool> flag(const JsonField& object, std::string_view name) {
  const JsonField field = TRY(object.field(name));
  return field.boolean_or(false);
}

Result<HelperAnswer> decode_error(const JsonField& answer) {
  const std::string message = TRY(text(answer, "error"));
  const std::string hint = TRY(text(answer, "hint"));
  const JsonField kind_field = TRY(answer.field("kind"));
  const std::int64_t kind = TRY(kind_field.integer_or(kLastKind));
  Error error(kind < 0 || kind > kLastKind ? ErrorKind::Internal : static_cast<ErrorKind>(kind),
              message);
  return HelperAnswer(hint.empty() ? std::move(error) : std::move(error).with_hint(hint));
}

Result<HelperAnswer> decode_progress(const JsonField& answer) {
  HelperProgress progress;
  progress.text = TRY(text(answer, "progress"));
  progress.current = TRY(count(answer, "current"));
  progress.total = TRY(count(answer, "total"));
  progress.bytes = TRY(count(answer, "bytes"));
  return HelperAnswer(std::move(progress));
}

Result<HelperAnswer> decode_result(const JsonField& answer) {
  HelperResult result;
  result.commit = TRY(text(answer, "result"));
  result.object = TRY(text(answer, "object"));
  result.ref_name = TRY(text(answer, "refName"));
  const JsonField time = TRY(answer.field("time"));
  result.time = TRY(time.integer_or(0));
  return HelperAnswer(std::move(result));
}

}  // namespace

std::string encode(const HelperRequest& request) {
  const Json json = {{"op", request.op == HelperRequest::Op::Resolve ? "resolve" : "provide"},
                     {"remote", request.remote},
                     {"authorization", request.authorization},
                     {"scratch", request.scratch},
                     {"knownHosts", request.known_hosts},
                     {"hasAgent", request.has_agent},
                     {"useGitProgram", request.use_git_program},
                     {"ref", request.ref},
                     {"mirrors", request.mirrors},
                     {"object", request.object},
                     {"refName", request.ref_name},
                     {"destination", request.destination},
                     {"subdir", request.subdir},
                     {"submodules", request.submodules},
                     {"keepGitDir", request.keep_git_dir}};
  return canonical_dump(json);
}

Result<HelperRequest> decode_request(std::string_view document) {
  const Json json = TRY(parse_json(document));
  const JsonField object(json, "request");
  HelperRequest request;
  const std::string op = TRY(text(object, "op"));
  request.op = op == "provide" ? HelperRequest::Op::Provide : HelperRequest::Op::Resolve;
  request.remote = TRY(text(object, "remote"));
  request.authorization = TRY(text(object, "authorization"));
  request.scratch = TRY(text(object, "scratch"));
  const JsonField known_hosts = TRY(object.field("knownHosts"));
  request.known_hosts = TRY(known_hosts.strings());
  request.has_agent = TRY(flag(object, "hasAgent"));
  request.use_git_program = TRY(flag(object, "useGitProgram"));
  request.ref = TRY(text(object, "ref"));
  request.mirrors = TRY(text(object, "mirrors"));
  request.object = TRY(text(object, "object"));
  request.ref_name = TRY(text(object, "refName"));
  request.destination = TRY(text(object, "destination"));
  request.subdir = TRY(text(object, "subdir"));
  request.submodules = TRY(flag(object, "submodules"));
  request.keep_git_dir = TRY(flag(object, "keepGitDir"));
  return request;
}

std::string encode(const HelperAnswer& answer) {
  return canonical_dump(std::visit(Encoder(), answer));
}

Result<HelperAnswer> decode_answer(std::string_view line) {
  const Json json = TRY(parse_json(line));
  const JsonField answer(json, "answer");
  if (!json.is_object()) {
    return answer.error("an object");
  }
  if (json.contains("progress")) {
    return decode_progress(answer);
  }
  if (json.contains("warning")) {
    std::string warning = TRY(text(answer, "warning"));
    return HelperAnswer(HelperWarning{std::move(warning)});
  }
  if (json.contains("result")) {
    return decode_result(answer);
  }
  return decode_error(answer);
}

}  // namespace mybuild::git

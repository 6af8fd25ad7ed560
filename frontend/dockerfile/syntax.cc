// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/syntax.h"

#include "frontend/dockerfile/characters.h"
#include "frontend/dockerfile/source_map.h"
#include "snapshotter/base/json.h"
#include "snapshotter/oci/reference.h"

#include <algorithm>
#include <array>
#include <optional>

namespace mybuild::frontend {

namespace {

constexpr std::array<std::string_view, 4> kOurs{"docker/dockerfile", "docker/dockerfile-upstream",
                                                "docker/dockerfile-labs",
                                                "docker/dockerfile-experimental"};
constexpr std::array<std::string_view, 3> kDirectives{"syntax", "escape", "check"};

struct Wish {
  std::string image;
  int line = 0;
};

bool is_ours(std::string_view image) {
  if (image == "dockerfile.v0") {
    return true;
  }
  const auto reference = oci::Reference::parse(image);
  return reference && reference->domain == "docker.io" &&
         std::find(kOurs.begin(), kOurs.end(), reference->repository) != kOurs.end();
}

/// Goes through the directives at the head of the file, each behind `mark` ("#" or "//").
std::optional<Wish> find_directive(std::string_view text, std::string_view mark, int line) {
  while (text.starts_with(mark)) {
    const auto end = text.find('\n');
    const std::string_view directive = text.substr(0, end).substr(mark.size());
    const auto equals = directive.find('=');
    const std::string name = to_lower(trim(directive.substr(0, equals)));
    if (equals == std::string_view::npos ||
        std::find(kDirectives.begin(), kDirectives.end(), name) == kDirectives.end()) {
      break;
    }
    if (name == "syntax") {
      const std::string_view value = trim(directive.substr(equals + 1));
      return Wish{std::string(value.substr(0, value.find(' '))), line};
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line;
  }
  return std::nullopt;
}

std::optional<Wish> find_wish(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  int line = 1;
  if (text.starts_with("#!")) {
    const auto end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++line;
  }
  for (const std::string_view mark : {"#", "//"}) {
    if (auto wish = find_directive(text, mark, line)) {
      return wish;
    }
  }
  if (!trim_left(text).starts_with('{')) {
    return std::nullopt;
  }
  const auto json = parse_json(text);
  if (json && json->is_object() && json->contains("syntax") && (*json)["syntax"].is_string()) {
    return Wish{(*json)["syntax"].get<std::string>(), line};
  }
  return std::nullopt;
}

Error foreign(std::string_view image) {
  return unsupported("the frontend {} is not built in", image)
      .with_hint("only docker/dockerfile is; leave the syntax line out if the file needs no more");
}

}  // namespace

Status check_syntax(std::string_view text, const std::map<std::string, std::string>& build_args,
                    const SourceMap& source) {
  const auto forced = build_args.find("BUILDKIT_SYNTAX");
  if (forced != build_args.end() && !forced->second.empty()) {
    const std::string_view image = trim(forced->second);
    return is_ours(image.substr(0, image.find(' '))) ? Status() : foreign(image);
  }
  const auto wish = find_wish(text);
  if (!wish || is_ours(wish->image)) {
    return {};
  }
  return foreign(wish->image).at(source.locate({wish->line, wish->line}));
}

}  // namespace mybuild::frontend

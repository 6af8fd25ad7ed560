// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/annotations.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mybuild::cli {

namespace {

using exporter::Annotation;
using Place = Annotation::Place;

constexpr std::string_view kOption = "annotation";
constexpr std::pair<std::string_view, Place> kTypes[] = {
    {"manifest", Place::Manifest},
    {"manifest-descriptor", Place::ManifestDescriptor},
    {"index", Place::Index},
    {"index-descriptor", Place::IndexDescriptor},
};

/// "manifest", "index-descriptor", "manifest[linux/arm64]".
Result<Annotation> parse_type(std::string_view text) {
  Annotation annotation;
  const std::size_t bracket = text.find('[');
  const std::string_view type = text.substr(0, bracket);
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const auto& row) { return row.first == type; });
  if (found == std::end(kTypes)) {
    return invalid_argument("unknown annotation type '{}'", type)
        .with_hint("types are manifest, manifest-descriptor, index and index-descriptor");
  }
  annotation.place = found->second;
  if (bracket != std::string_view::npos) {
    if (!text.ends_with(']')) {
      return invalid_argument("the platform in '{}' has no end", text);
    }
    const std::string_view platform = text.substr(bracket + 1, text.size() - bracket - 2);
    annotation.platform = TRY(oci::parse_platform(platform));
  }
  return annotation;
}

Status check_key(std::string_view key) {
  return key.empty() ? Status(invalid_argument("an annotation needs a key")) : Status();
}

}  // namespace

Result<std::vector<Annotation>> parse_annotation(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return invalid_argument("invalid annotation '{}', expected key=value", text);
  }
  const std::string_view name = text.substr(0, equals);
  const std::size_t colon = name.find(':');
  const std::string_view key = colon == name.npos ? name : name.substr(colon + 1);
  TRY(check_key(key));
  std::string_view types = colon == name.npos ? "manifest" : name.substr(0, colon);
  std::vector<Annotation> annotations;
  for (std::size_t comma = 0; comma != types.npos; types.remove_prefix(comma + 1)) {
    comma = types.find(',');
    Annotation annotation = TRY(parse_type(types.substr(0, comma)));
    annotation.key = key;
    annotation.value = text.substr(equals + 1);
    annotations.push_back(std::move(annotation));
    if (comma == types.npos) {
      break;
    }
  }
  return annotations;
}

bool is_annotation_option(std::string_view key) {
  return key.starts_with(kOption) && key.find_first_of(".-[") == kOption.size();
}

Result<Annotation> parse_annotation_option(std::string_view key, std::string_view value) {
  // Platforms have no dots, annotation keys mostly do.
  const std::size_t dot = key.find('.');
  std::string type(key.substr(kOption.size(), dot - kOption.size()));
  if (type.starts_with('-')) {
    type.erase(0, 1);
  } else {
    type.insert(0, "manifest");
  }
  Annotation annotation = TRY(parse_type(type));
  annotation.key = dot == key.npos ? "" : key.substr(dot + 1);
  TRY(check_key(annotation.key));
  annotation.value = value;
  return annotation;
}

void annotate(const std::vector<Annotation>& annotations,
              std::vector<exporter::OutputSpec>& outputs) {
  if (!annotations.empty() && outputs.empty()) {
    outputs.emplace_back();
  }
  for (exporter::OutputSpec& output : outputs) {
    output.annotations.insert(output.annotations.end(), annotations.begin(), annotations.end());
  }
}

}  // namespace mybuild::cli

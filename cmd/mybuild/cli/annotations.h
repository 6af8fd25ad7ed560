// SPDX-License-Identifier: Apache-2.0
// The two ways to write an annotation: --annotation TYPE[PLATFORM],…:KEY=VALUE, and the output
// option annotation-TYPE[PLATFORM].KEY=VALUE. Pure, thread-safe.
#pragma once

#include "builder/export/exporter.h"

#include <string_view>
#include <vector>

namespace mybuild::cli {

/// One for each type that is named; the manifest's without any.
Result<std::vector<exporter::Annotation>> parse_annotation(std::string_view text);
bool is_annotation_option(std::string_view key);
Result<exporter::Annotation> parse_annotation_option(std::string_view key, std::string_view value);
/// Adds them to all outputs, after those an output has itself.
void annotate(const std::vector<exporter::Annotation>& annotations,
              std::vector<exporter::OutputSpec>& outputs);

}  // namespace mybuild::cli

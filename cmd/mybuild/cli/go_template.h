// SPDX-License-Identifier: Apache-2.0
// --format as docker takes it: the part of Go's text/template that scripts use on lists and
// inspect: paths ({{.Config.Cmd}}), pipelines, range, if, else, end, and the functions json, index,
// join, len, upper, lower, println. What is not known is refused by name. Pure, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <string>
#include <string_view>

namespace mybuild::cli {

/// Renders `text` with the JSON document `data` as its dot. Values print as Go prints them: lists
/// as [a b], objects as map[k:v].
Result<std::string> render_template(std::string_view text, std::string_view data);

/// Whether `text` can be read as a template at all.
Status check_template(std::string_view text);

}  // namespace mybuild::cli

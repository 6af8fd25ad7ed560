// SPDX-License-Identifier: Apache-2.0
// --format as docker takes it: the part of Go's text/template that scripts use on lists and
// inspect: paths ({{.Config.Cmd}}), pipelines, range, if, else, end, and the functions of the table
// in go_template.cc. What is not known is refused by name. Value type, thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::cli {

class Template {
 public:
  /// Refuses what cannot be read, and functions that are not known.
  static Result<Template> parse(std::string_view text);

  /// `dot` is what paths start from. Values print as Go prints them: lists as [a b], objects as
  /// map[k:v].
  Result<std::string> render(const nlohmann::ordered_json& dot) const;

 private:
  struct Node;
  class Parser;
  using Nodes = std::vector<Node>;

  explicit Template(std::shared_ptr<const Nodes> nodes) : nodes_(std::move(nodes)) {}
  static Status check(const Nodes& nodes);
  static Status render(const Nodes& nodes, const nlohmann::ordered_json& dot, std::string& out);

  std::shared_ptr<const Nodes> nodes_;
};

}  // namespace mybuild::cli

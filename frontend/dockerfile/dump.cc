// SPDX-License-Identifier: Apache-2.0
#include "frontend/dockerfile/dump.h"

#include "frontend/dockerfile/go_format.h"

#include <fmt/format.h>

namespace mybuild::frontend {

namespace {

std::string dump_node(const Node& node) {
  std::string out = "(" + node.verb;
  for (const std::string& flag : node.flags) {
    out += " [" + flag + "]";
  }
  if (node.json) {
    out += " json";
  }
  for (const std::string& arg : node.args) {
    out += " " + go_quote(arg);
  }
  if (node.trigger) {
    out += " " + dump_node(*node.trigger);
  }
  for (const Heredoc& heredoc : node.heredocs) {
    out += fmt::format(" (heredoc{}{} {} {})", heredoc.strip_tabs ? " strip" : "",
                       heredoc.expand ? "" : " raw", go_quote(heredoc.name),
                       go_quote(heredoc.content));
  }
  return out + ")";
}

}  // namespace

std::string dump_ast(const Document& document) {
  std::string out;
  for (const Directive& directive : document.directives) {
    out += fmt::format("{}: # {}={}\n", directive.line, directive.name, directive.value);
  }
  for (const Node& node : document.nodes) {
    out += fmt::format("{}-{}: {}\n", node.lines.first, node.lines.last, dump_node(node));
  }
  return out;
}

}  // namespace mybuild::frontend

// SPDX-License-Identifier: Apache-2.0
#include "builder/entitlements.h"

namespace mybuild::builder {

namespace {

Error denied(std::string_view entitlement) {
  return make_error(ErrorKind::Denied, "{} is not allowed", entitlement)
      .with_hint(fmt::format("allow it with --allow {}", entitlement));
}

Status check(const solver::ExecOp& op, const Entitlements& allowed,
             devices::DeviceSource& devices) {
  if (op.network == solver::NetworkMode::Host && !allowed.network_host) {
    return denied("network.host");
  }
  if (op.security == solver::SecurityMode::Insecure && !allowed.security_insecure) {
    return denied("security.insecure");
  }
  TRY(devices.edits(op.devices));
  return {};
}

}  // namespace

Status check_entitlements(const solver::Graph& graph, const Entitlements& allowed,
                          devices::DeviceSource& devices) {
  for (const solver::Vertex& vertex : graph.vertices()) {
    const auto* op = std::get_if<solver::ExecOp>(&vertex.op);
    Status checked = op == nullptr ? Status() : check(*op, allowed, devices);
    if (!checked) {
      Error error = std::move(checked).error();
      return vertex.meta.location ? std::move(error).at(*vertex.meta.location) : error;
    }
  }
  return {};
}

}  // namespace mybuild::builder

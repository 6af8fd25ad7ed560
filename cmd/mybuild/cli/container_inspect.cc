// SPDX-License-Identifier: Apache-2.0
#include "cmd/mybuild/cli/container_inspect.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace mybuild::cli {

namespace {

using OrderedJson = nlohmann::ordered_json;
using run::ContainerRecord;

/// Go's zero time stands for what has not happened.
std::string time_text(Time time) {
  return time == Time() ? "0001-01-01T00:00:00Z" : format_rfc3339(time);
}

OrderedJson list_or_null(const std::vector<std::string>& list) {
  return list.empty() ? OrderedJson() : OrderedJson(list);
}

template <class Keys>
OrderedJson keys_or_null(const Keys& keys) {
  OrderedJson object;
  for (const std::string& key : keys) {
    object[key] = OrderedJson::object();
  }
  return object;
}

OrderedJson state_json(const InspectedContainer& inspected) {
  const run::ContainerState& state = inspected.container.state;
  return {{"Status", run::to_string(state.status)},
          {"Running", inspected.container.running()},
          {"Paused", false},
          {"Restarting", false},
          {"OOMKilled", false},
          {"Dead", false},
          {"Pid", inspected.program},
          {"ExitCode", state.exit_code},
          {"Error", state.error},
          {"StartedAt", time_text(state.started)},
          {"FinishedAt", time_text(state.finished)}};
}

const run::VolumeUse* volume_at(const ContainerRecord& record, const std::string& target) {
  const auto found = std::find_if(record.volumes.begin(), record.volumes.end(),
                                  [&](const run::VolumeUse& use) { return use.target == target; });
  return found == record.volumes.end() ? nullptr : &*found;
}

OrderedJson mounts_json(const ContainerRecord& record) {
  OrderedJson mounts = OrderedJson::array();
  for (const sandbox::PlanMount& mount : record.plan.mounts) {
    const run::VolumeUse* volume = volume_at(record, mount.target);
    OrderedJson line = {{"Type", volume == nullptr ? "bind" : "volume"}};
    if (volume != nullptr) {
      line["Name"] = volume->volume;
    }
    line["Source"] = mount.source;
    line["Destination"] = mount.target;
    if (volume != nullptr) {
      line["Driver"] = "local";
    }
    line["Mode"] = mount.read_only ? "ro" : "";
    line["RW"] = !mount.read_only;
    line["Propagation"] = volume == nullptr ? "rprivate" : "";
    mounts.push_back(std::move(line));
  }
  return mounts;
}

OrderedJson binds_json(const ContainerRecord& record) {
  std::vector<std::string> binds;
  for (const sandbox::PlanMount& mount : record.plan.mounts) {
    const run::VolumeUse* volume = volume_at(record, mount.target);
    if (volume == nullptr || !volume->anonymous) {
      binds.push_back(fmt::format("{}:{}{}", volume == nullptr ? mount.source : volume->volume,
                                  mount.target, mount.read_only ? ":ro" : ""));
    }
  }
  return list_or_null(binds);
}

OrderedJson host_config_json(const ContainerRecord& record) {
  return {{"Binds", binds_json(record)},
          {"NetworkMode", run::network_name(record.plan.network)},
          {"PortBindings", OrderedJson::object()},
          {"RestartPolicy", {{"Name", "no"}, {"MaximumRetryCount", 0}}},
          {"AutoRemove", record.auto_remove},
          {"Privileged", record.plan.insecure},
          {"ReadonlyRootfs", record.plan.root_read_only},
          {"ShmSize", record.plan.shm_size},
          {"Init", record.plan.init}};
}

/// As overlayfs is told: the topmost layer first.
OrderedJson graph_driver_json(const builder::ContainerRoot& root) {
  OrderedJson data = OrderedJson::object();
  if (root.mount.type == snapshotter::RootMount::Type::Bind) {
    data["Dir"] = root.mount.source;
  } else if (!root.mount.upper.empty()) {
    std::vector<std::string> lower = root.mount.lower;
    std::reverse(lower.begin(), lower.end());
    data["LowerDir"] = fmt::format("{}", fmt::join(lower, ":"));
    data["UpperDir"] = root.mount.upper;
    data["WorkDir"] = root.mount.work;
  }
  return {{"Data", std::move(data)}, {"Name", root.driver}};
}

OrderedJson config_json(const ContainerRecord& record) {
  const sandbox::SandboxPlan& plan = record.plan;
  std::vector<std::string> anonymous;
  for (const run::VolumeUse& use : record.volumes) {
    if (use.anonymous) {
      anonymous.push_back(use.target);
    }
  }
  OrderedJson config = {{"Hostname", plan.hostname}, {"Domainname", ""},
                        {"User", plan.user},         {"AttachStdin", record.interactive},
                        {"AttachStdout", true},      {"AttachStderr", true}};
  if (!record.exposed_ports.empty()) {
    config["ExposedPorts"] = keys_or_null(record.exposed_ports);
  }
  config.update({{"Tty", plan.terminal},
                 {"OpenStdin", record.interactive},
                 {"StdinOnce", record.interactive},
                 {"Env", plan.env},
                 {"Cmd", list_or_null(record.cmd)},
                 {"Image", record.image},
                 {"Volumes", keys_or_null(anonymous)},
                 {"WorkingDir", plan.cwd},
                 {"Entrypoint", list_or_null(record.entrypoint)},
                 {"OnBuild", nullptr},
                 {"Labels", record.labels}});
  if (!record.stop_signal.empty()) {
    config["StopSignal"] = record.stop_signal;
  }
  return config;
}

OrderedJson network_json(const ContainerRecord& record) {
  const OrderedJson addresses = {
      {"Gateway", ""}, {"IPAddress", ""}, {"IPPrefixLen", 0}, {"MacAddress", ""}};
  OrderedJson settings = {{"Ports", OrderedJson::object()}};
  settings.update(addresses);
  settings["Networks"] = {{std::string(run::network_name(record.plan.network)), addresses}};
  return settings;
}

}  // namespace

OrderedJson container_json(const InspectedContainer& inspected) {
  const ContainerRecord& record = inspected.container.record;
  const std::vector<std::string>& argv = record.plan.argv;
  OrderedJson out = {
      {"Id", record.id},
      {"Created", format_rfc3339(record.created)},
      {"Path", argv.empty() ? "" : argv.front()},
      {"Args", argv.empty() ? argv : std::vector<std::string>(argv.begin() + 1, argv.end())},
      {"State", state_json(inspected)},
      {"Image", record.image_id.str()},
      {"ResolvConfPath", ""},
      {"HostnamePath", ""},
      {"HostsPath", ""},
      {"LogPath", ""},
      {"Name", "/" + record.name},
      {"RestartCount", 0},
      {"Driver", inspected.root.driver},
      {"Platform", "linux"},
      {"MountLabel", ""},
      {"ProcessLabel", ""},
      {"AppArmorProfile", ""},
      {"ExecIDs", nullptr},
      {"HostConfig", host_config_json(record)},
      {"GraphDriver", graph_driver_json(inspected.root)}};
  if (inspected.size) {
    out["SizeRw"] = inspected.size->writable;
    out["SizeRootFs"] = inspected.size->root;
  }
  out["Mounts"] = mounts_json(record);
  out["Config"] = config_json(record);
  out["NetworkSettings"] = network_json(record);
  return out;
}

}  // namespace mybuild::cli

// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/plan.h"
#include "snapshotter/base/bytes.h"
#include "snapshotter/base/json.h"

#include <array>
#include <charconv>

namespace mybuild::sandbox {

namespace {

/// Arguments and paths are bytes; those that are not UTF-8 travel as {"hex": "…"}.
Json from_bytes(const std::string& text) {
  Json plain(text);
  if (plain.dump(-1, ' ', false, Json::error_handler_t::ignore).size() ==
      plain.dump(-1, ' ', false, Json::error_handler_t::replace).size()) {
    return plain;
  }
  return Json{{"hex", to_hex(as_bytes(text))}};
}

Json from_list(const std::vector<std::string>& list) {
  Json array = Json::array();
  for (const std::string& text : list) {
    array.push_back(from_bytes(text));
  }
  return array;
}

Result<std::string> from_hex(const JsonField& field) {
  const std::string digits = TRY(field.string());
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned value = 0;
    const char* const pair = digits.data() + i;
    const char* const end = digits.data() + digits.size();
    if (end - pair < 2 || std::from_chars(pair, pair + 2, value, 16).ptr != pair + 2) {
      return field.error("pairs of hexadecimal digits");
    }
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

Result<std::string> to_bytes(const JsonField& field, std::string_view fallback = {}) {
  if (field.absent()) {
    return std::string(fallback);
  }
  std::string text;
  if (field.json().is_object()) {
    const JsonField hex = TRY(field.field("hex"));
    text = TRY(from_hex(hex));
  } else {
    text = TRY(field.string());
  }
  if (text.find('\0') != std::string::npos) {
    return field.error("text without zero bytes");
  }
  return text;
}

Result<std::vector<std::string>> to_list(const JsonField& field) {
  std::vector<std::string> list;
  for (const JsonField& item : TRY(field.items())) {
    list.push_back(TRY(to_bytes(item)));
  }
  return list;
}

template <class T>
Result<T> to_number(const JsonField& field, T fallback) {
  return static_cast<T>(TRY(field.integer_or(static_cast<std::int64_t>(fallback))));
}

template <class Enum>
struct EnumName {
  Enum value;
  std::string_view name;
};

constexpr std::array kMountTypes = {
    EnumName<PlanMount::Type>{PlanMount::Type::Bind, "bind"},
    EnumName<PlanMount::Type>{PlanMount::Type::Overlay, "overlay"},
    EnumName<PlanMount::Type>{PlanMount::Type::Tmpfs, "tmpfs"},
    EnumName<PlanMount::Type>{PlanMount::Type::File, "file"},
    EnumName<PlanMount::Type>{PlanMount::Type::Socket, "socket"},
    EnumName<PlanMount::Type>{PlanMount::Type::Device, "device"},
};
using RootType = snapshotter::RootMount::Type;
constexpr std::array kRootTypes = {EnumName<RootType>{RootType::Overlay, "overlay"},
                                   EnumName<RootType>{RootType::Bind, "bind"}};
constexpr std::array kNetworks = {EnumName<Network>{Network::Host, "host"},
                                  EnumName<Network>{Network::None, "none"}};

template <class Enum, std::size_t size>
std::string_view name_of(const std::array<EnumName<Enum>, size>& table, Enum value) {
  for (const EnumName<Enum>& row : table) {
    if (row.value == value) {
      return row.name;
    }
  }
  return table.front().name;
}

template <class Enum, std::size_t size>
Result<Enum> value_of(const std::array<EnumName<Enum>, size>& table, const JsonField& field) {
  const std::string name = TRY(field.string_or(table.front().name));
  for (const EnumName<Enum>& row : table) {
    if (row.name == name) {
      return row.value;
    }
  }
  return field.error("a known name");
}

Json dump_root(const snapshotter::RootMount& root) {
  return Json{{"type", name_of(kRootTypes, root.type)},
              {"lower", from_list(root.lower)},
              {"upper", from_bytes(root.upper)},
              {"work", from_bytes(root.work)},
              {"durable", root.durable},
              {"source", from_bytes(root.source)}};
}

Result<snapshotter::RootMount> parse_root(const JsonField& field) {
  snapshotter::RootMount root;
  root.type = TRY(value_of(kRootTypes, TRY(field.field("type"))));
  root.lower = TRY(to_list(TRY(field.field("lower"))));
  root.upper = TRY(to_bytes(TRY(field.field("upper"))));
  root.work = TRY(to_bytes(TRY(field.field("work"))));
  root.durable = TRY(TRY(field.field("durable")).boolean_or(false));
  root.source = TRY(to_bytes(TRY(field.field("source"))));
  return root;
}

Json dump_mount(const PlanMount& mount) {
  Json json = {{"type", name_of(kMountTypes, mount.type)}, {"target", from_bytes(mount.target)}};
  switch (mount.type) {
    case PlanMount::Type::Bind:
      json["source"] = from_bytes(mount.source);
      json["recursive"] = mount.recursive;
      json["no_suid"] = mount.no_suid;
      json["no_exec"] = mount.no_exec;
      break;
    case PlanMount::Type::Overlay:
      json["overlay"] = dump_root(mount.overlay);
      json["source_path"] = from_bytes(mount.source_path);
      break;
    case PlanMount::Type::Tmpfs:
      json["size"] = mount.size;
      break;
    case PlanMount::Type::File:
      json["fd"] = mount.fd;
      json["content"] = from_bytes(mount.content);
      json["no_exec"] = mount.no_exec;
      break;
    case PlanMount::Type::Socket:
      json["fd"] = mount.fd;
      break;
    case PlanMount::Type::Device:
      json["source"] = from_bytes(mount.source);
      json["device"] = mount.device;
      break;
  }
  json["read_only"] = mount.read_only;
  json["mode"] = mount.mode;
  json["uid"] = mount.uid;
  json["gid"] = mount.gid;
  return json;
}

Result<PlanMount> parse_mount(const JsonField& field) {
  PlanMount mount;
  mount.type = TRY(value_of(kMountTypes, TRY(field.field("type"))));
  mount.target = TRY(to_bytes(TRY(field.field("target"))));
  mount.source = TRY(to_bytes(TRY(field.field("source"))));
  mount.overlay = TRY(parse_root(TRY(field.field("overlay"))));
  mount.source_path = TRY(to_bytes(TRY(field.field("source_path")), "/"));
  mount.read_only = TRY(TRY(field.field("read_only")).boolean_or(false));
  mount.recursive = TRY(TRY(field.field("recursive")).boolean_or(true));
  mount.no_suid = TRY(TRY(field.field("no_suid")).boolean_or(false));
  mount.no_exec = TRY(TRY(field.field("no_exec")).boolean_or(false));
  mount.size = TRY(to_number<std::uint64_t>(TRY(field.field("size")), 0));
  mount.mode = TRY(to_number<std::uint32_t>(TRY(field.field("mode")), 0));
  mount.uid = TRY(to_number<uid_t>(TRY(field.field("uid")), 0));
  mount.gid = TRY(to_number<gid_t>(TRY(field.field("gid")), 0));
  mount.device = TRY(to_number<std::uint64_t>(TRY(field.field("device")), 0));
  mount.fd = TRY(to_number<int>(TRY(field.field("fd")), -1));
  mount.content = TRY(to_bytes(TRY(field.field("content"))));
  if (!mount.target.starts_with('/')) {
    return field.error("an absolute target");
  }
  return mount;
}

Json dump_rlimits(const std::vector<Rlimit>& rlimits) {
  Json array = Json::array();
  for (const Rlimit& limit : rlimits) {
    // "Unlimited" is all ones, which JSON readers of this project know as -1.
    array.push_back({{"name", limit.name},
                     {"soft", static_cast<std::int64_t>(limit.soft)},
                     {"hard", static_cast<std::int64_t>(limit.hard)}});
  }
  return array;
}

Result<Rlimit> parse_rlimit(const JsonField& field) {
  Rlimit limit;
  limit.name = TRY(TRY(field.field("name")).string());
  limit.soft = TRY(to_number<std::uint64_t>(TRY(field.field("soft")), 0));
  limit.hard = TRY(to_number<std::uint64_t>(TRY(field.field("hard")), 0));
  return limit;
}

Json dump_secret_env(const std::vector<SecretVariable>& variables) {
  Json array = Json::array();
  for (const SecretVariable& variable : variables) {
    array.push_back({{"name", from_bytes(variable.name)}, {"fd", variable.fd}});
  }
  return array;
}

Result<SecretVariable> parse_secret_variable(const JsonField& field) {
  SecretVariable variable;
  variable.name = TRY(to_bytes(TRY(field.field("name"))));
  variable.fd = TRY(to_number<int>(TRY(field.field("fd")), -1));
  return variable;
}

Status parse_lists(const JsonField& top, SandboxPlan& plan) {
  for (const JsonField& item : TRY(TRY(top.field("mounts")).items())) {
    plan.mounts.push_back(TRY(parse_mount(item)));
  }
  for (const JsonField& item : TRY(TRY(top.field("rlimits")).items())) {
    plan.rlimits.push_back(TRY(parse_rlimit(item)));
  }
  for (const JsonField& item : TRY(TRY(top.field("secret_env")).items())) {
    plan.secret_env.push_back(TRY(parse_secret_variable(item)));
  }
  for (const JsonField& item : TRY(TRY(top.field("groups")).items())) {
    plan.groups.push_back(TRY(to_number<gid_t>(item, 0)));
  }
  plan.argv = TRY(to_list(TRY(top.field("argv"))));
  plan.env = TRY(to_list(TRY(top.field("env"))));
  if (plan.argv.empty()) {
    return invalid_argument("argv: the command is missing");
  }
  return {};
}

}  // namespace

std::string dump(const SandboxPlan& plan) {
  Json mounts = Json::array();
  for (const PlanMount& mount : plan.mounts) {
    mounts.push_back(dump_mount(mount));
  }
  return canonical_dump(Json{{"root", dump_root(plan.root)},
                             {"root_read_only", plan.root_read_only},
                             {"mount_points_in_lower", plan.mount_points_in_lower},
                             {"mounts", std::move(mounts)},
                             {"argv", from_list(plan.argv)},
                             {"env", from_list(plan.env)},
                             {"secret_env", dump_secret_env(plan.secret_env)},
                             {"cwd", from_bytes(plan.cwd)},
                             {"user", from_bytes(plan.user)},
                             {"groups", plan.groups},
                             {"hostname", from_bytes(plan.hostname)},
                             {"network", name_of(kNetworks, plan.network)},
                             {"hosts", from_bytes(plan.hosts)},
                             {"resolv_conf", from_bytes(plan.resolv_conf)},
                             {"own_network_files", plan.own_network_files},
                             {"shm_size", plan.shm_size},
                             {"rlimits", dump_rlimits(plan.rlimits)},
                             {"insecure", plan.insecure},
                             {"terminal", plan.terminal},
                             {"batch", plan.batch},
                             {"init", plan.init},
                             {"held_fd", plan.held_fd}});
}

Result<SandboxPlan> parse_plan(std::string_view json) {
  const Json value = TRY(parse_json(json));
  const JsonField top(value, "plan");
  SandboxPlan plan;
  plan.root = TRY(parse_root(TRY(top.field("root"))));
  plan.root_read_only = TRY(TRY(top.field("root_read_only")).boolean_or(false));
  plan.mount_points_in_lower = TRY(TRY(top.field("mount_points_in_lower")).boolean_or(false));
  TRY(parse_lists(top, plan));
  plan.cwd = TRY(to_bytes(TRY(top.field("cwd")), "/"));
  plan.user = TRY(to_bytes(TRY(top.field("user"))));
  plan.hostname = TRY(to_bytes(TRY(top.field("hostname"))));
  plan.network = TRY(value_of(kNetworks, TRY(top.field("network"))));
  plan.hosts = TRY(to_bytes(TRY(top.field("hosts"))));
  plan.resolv_conf = TRY(to_bytes(TRY(top.field("resolv_conf"))));
  plan.own_network_files = TRY(TRY(top.field("own_network_files")).boolean_or(false));
  plan.shm_size = TRY(to_number(TRY(top.field("shm_size")), plan.shm_size));
  plan.insecure = TRY(TRY(top.field("insecure")).boolean_or(false));
  plan.terminal = TRY(TRY(top.field("terminal")).boolean_or(false));
  plan.batch = TRY(TRY(top.field("batch")).boolean_or(false));
  plan.init = TRY(TRY(top.field("init")).boolean_or(false));
  plan.held_fd = TRY(to_number<int>(TRY(top.field("held_fd")), -1));
  return plan;
}

}  // namespace mybuild::sandbox

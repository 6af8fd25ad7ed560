// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container_record.h"

#include "snapshotter/base/json.h"

namespace mybuild::run {

namespace {

Result<Digest> digest_of(const JsonField& field) {
  return Digest::parse(TRY(field.string()));
}

Result<Time> time_of(const JsonField& field) {
  return parse_rfc3339(TRY(field.string()));
}

Json dump_volumes(const std::vector<VolumeUse>& volumes) {
  Json list = Json::array();
  for (const VolumeUse& use : volumes) {
    list.push_back({{"volume", use.volume},
                    {"target", use.target},
                    {"anonymous", use.anonymous},
                    {"copy", use.copy}});
  }
  return list;
}

Result<VolumeUse> parse_volume_use(const JsonField& field) {
  VolumeUse use;
  use.volume = TRY(TRY(field.field("volume")).string());
  use.target = TRY(TRY(field.field("target")).string());
  use.anonymous = TRY(TRY(field.field("anonymous")).boolean_or(false));
  use.copy = TRY(TRY(field.field("copy")).boolean_or(true));
  return use;
}

Json dump_layers(const std::vector<Digest>& layers) {
  Json list = Json::array();
  for (const Digest& layer : layers) {
    list.push_back(layer.str());
  }
  return list;
}

/// What `ps` and `inspect` say of it, and nothing else needs.
Status parse_description(const JsonField& top, ContainerRecord& record) {
  record.labels = TRY(TRY(top.field("labels")).string_map());
  record.entrypoint = TRY(TRY(top.field("entrypoint")).strings());
  record.cmd = TRY(TRY(top.field("cmd")).strings());
  const std::vector<std::string> ports = TRY(TRY(top.field("exposed_ports")).strings());
  record.exposed_ports = {ports.begin(), ports.end()};
  return {};
}

Status parse_lists(const JsonField& top, ContainerRecord& record) {
  for (const JsonField& item : TRY(TRY(top.field("layers")).items())) {
    record.layers.push_back(TRY(digest_of(item)));
  }
  for (const JsonField& item : TRY(TRY(top.field("volumes")).items())) {
    record.volumes.push_back(TRY(parse_volume_use(item)));
  }
  return {};
}

Result<ContainerStatus> parse_status(const JsonField& field) {
  const std::string name = TRY(field.string());
  for (const ContainerStatus status :
       {ContainerStatus::Created, ContainerStatus::Running, ContainerStatus::Exited}) {
    if (to_string(status) == name) {
      return status;
    }
  }
  return field.error("the status of a container");
}

}  // namespace

std::string dump(const ContainerRecord& record) {
  const Result<Json> plan = parse_json(sandbox::dump(record.plan));
  return canonical_dump(Json{{"id", record.id},
                             {"name", record.name},
                             {"image", record.image},
                             {"image_id", record.image_id.str()},
                             {"created", format_rfc3339(record.created)},
                             {"layers", dump_layers(record.layers)},
                             {"volumes", dump_volumes(record.volumes)},
                             {"labels", record.labels},
                             {"exposed_ports", record.exposed_ports},
                             {"entrypoint", record.entrypoint},
                             {"cmd", record.cmd},
                             {"plan", plan.value_or(Json())},
                             {"stop_signal", record.stop_signal},
                             {"interactive", record.interactive},
                             {"auto_remove", record.auto_remove}});
}

Result<ContainerRecord> parse_container_record(std::string_view json) {
  const Json value = TRY(parse_json(json));
  const JsonField top(value, "container");
  ContainerRecord record;
  record.id = TRY(TRY(top.field("id")).string());
  record.name = TRY(TRY(top.field("name")).string());
  record.image = TRY(TRY(top.field("image")).string());
  record.image_id = TRY(digest_of(TRY(top.field("image_id"))));
  record.created = TRY(time_of(TRY(top.field("created"))));
  TRY(parse_lists(top, record));
  TRY(parse_description(top, record));
  const JsonField plan = TRY(top.field("plan"));
  if (plan.absent()) {
    return plan.error("a plan");
  }
  record.plan = TRY(sandbox::parse_plan(canonical_dump(plan.json())));
  record.stop_signal = TRY(TRY(top.field("stop_signal")).string_or(""));
  record.interactive = TRY(TRY(top.field("interactive")).boolean_or(false));
  record.auto_remove = TRY(TRY(top.field("auto_remove")).boolean_or(false));
  return record;
}

std::string dump(const ContainerState& state) {
  return canonical_dump(Json{{"status", to_string(state.status)},
                             {"exit_code", state.exit_code},
                             {"error", state.error},
                             {"started", format_rfc3339(state.started)},
                             {"finished", format_rfc3339(state.finished)}});
}

Result<ContainerState> parse_container_state(std::string_view json) {
  const Json value = TRY(parse_json(json));
  const JsonField top(value, "state");
  ContainerState state;
  state.status = TRY(parse_status(TRY(top.field("status"))));
  state.exit_code = static_cast<int>(TRY(TRY(top.field("exit_code")).integer_or(0)));
  state.error = TRY(TRY(top.field("error")).string_or(""));
  state.started = TRY(time_of(TRY(top.field("started"))));
  state.finished = TRY(time_of(TRY(top.field("finished"))));
  return state;
}

}  // namespace mybuild::run

// SPDX-License-Identifier: Apache-2.0
// What is known of a container: the record, which never changes once the container is there, and
// the state, which does. Both have a JSON form (README.md, "Layout"). Value types; functions are
// pure.
#pragma once

#include "builder/sandbox/plan.h"
#include "snapshotter/base/clock.h"
#include "snapshotter/base/digest.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::run {

constexpr std::size_t kShortId = 12;  // digits of an id that people are shown

/// A volume of the volume store in a container.
struct VolumeUse {
  std::string volume;
  std::string target;
  bool anonymous = false;  // made for this container, and removed with it when that is asked for
  bool copy = true;        // an empty volume gets what the image has at `target`
};

struct ContainerRecord {
  std::string id;  // 64 hex digits
  std::string name;
  std::string image;  // as it was asked for
  Digest image_id;
  Time created{};
  std::vector<Digest> layers;  // diff ids, lowest first: the container needs no image to go on
  std::vector<VolumeUse> volumes;
  std::map<std::string, std::string> labels;  // the image's, and those of `run --label`
  std::set<std::string> exposed_ports;        // "80/tcp"
  std::vector<std::string> entrypoint;        // argv of the plan is this and cmd
  std::vector<std::string> cmd;
  sandbox::SandboxPlan plan;  // without root and resolv.conf, which every start finds anew
  std::string stop_signal;    // the image's; empty: SIGTERM
  bool interactive = false;   // the program reads the input of whoever attaches to it
  bool auto_remove = false;   // --rm
};

enum class ContainerStatus { Created, Running, Exited };

struct ContainerState {
  ContainerStatus status = ContainerStatus::Created;
  int exit_code = 0;
  std::string error;  // why the program could not be started
  Time started{};
  Time finished{};
};

struct Container {
  ContainerRecord record;
  ContainerState state;
  bool running() const { return state.status == ContainerStatus::Running; }
};

/// docker's words.
constexpr std::string_view to_string(ContainerStatus status) {
  constexpr std::string_view kNames[] = {"created", "running", "exited"};
  return kNames[static_cast<std::size_t>(status)];
}
constexpr std::string_view network_name(sandbox::Network network) {
  return network == sandbox::Network::Host ? "host" : "none";
}

std::string dump(const ContainerRecord& record);
Result<ContainerRecord> parse_container_record(std::string_view json);
std::string dump(const ContainerState& state);
Result<ContainerState> parse_container_state(std::string_view json);

}  // namespace mybuild::run

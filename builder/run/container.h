// SPDX-License-Identifier: Apache-2.0
// The bundled runner: an image becomes a SandboxPlan over a writable layer of its own, runs, and is
// gone. The same sandbox code as RUN. Thread-safe; run_container() blocks until the program ends.
#pragma once

#include "builder/sandbox/sandbox.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/snapshotter.h"

#include <optional>
#include <string>
#include <vector>

namespace mybuild::run {

struct Volume {
  std::string source;  // absolute host path; made as a directory if missing, as docker does
  std::string target;  // absolute
  bool read_only = false;
};

struct RunRequest {
  std::string image;
  std::vector<std::string> args;          // replace CMD
  std::optional<std::string> entrypoint;  // "" clears the image's
  std::vector<std::string> env;           // "K=V", or "K" to take it from our environment
  std::vector<Volume> volumes;
  std::string workdir;
  std::string user;
  std::string hostname;
  std::string name;  // unique among running containers; empty = the first 12 digits of the id
  sandbox::Network network = sandbox::Network::Host;
  bool interactive = false;  // -i
  bool terminal = false;     // -t
  bool init = false;
};

struct ContainerExit {
  int code = 0;             // the program's, 128 + signal, or 125/126/127 as docker
  std::string start_error;  // for 126 and 127
};

struct ContainerDeps {
  sandbox::Sandbox& sandbox;
  snapshotter::Snapshotter& snapshotter;
  std::string containers_dir;  // <root>/containers, on the store's file system
};

/// argv, env, user, directory and the request's volumes, from the image's config and the request
/// (docker's rules). No I/O but reading our own environment; the root, the image's volumes and
/// resolv.conf are run_container()'s.
Result<sandbox::SandboxPlan> make_container_plan(const oci::ImageConfig& config,
                                                 const RunRequest& request);

/// `layer_dirs`: the image's trees, lowest first. Terminal modes and signals (INT, TERM, HUP, QUIT,
/// WINCH, USR1, USR2) are passed on, a third INT or TERM kills; the container's directory is
/// removed at the end. An Error means that there was no container (docker's exit code 125), or
/// `cancel`.
Result<ContainerExit> run_container(const oci::ImageConfig& config, const RunRequest& request,
                                    const std::vector<std::string>& layer_dirs, ContainerDeps& deps,
                                    const Cancel& cancel);

struct RunningContainer {
  std::string id;  // 64 hex digits
  std::string name;
  std::string image;  // as in the request
};
/// Containers of any process that are alive now.
Result<std::vector<RunningContainer>> running_containers(const std::string& containers_dir);

}  // namespace mybuild::run

// SPDX-License-Identifier: Apache-2.0
// The bundled runner: an image becomes a SandboxPlan over a writable layer of its own, runs, and
// stays as a stopped container that can be started again, or goes (--rm). The same sandbox code as
// RUN. Thread-safe; run_container() and start_container() block until the program ends.
#pragma once

#include "builder/run/container_store.h"
#include "builder/run/volumes.h"
#include "builder/sandbox/sandbox.h"
#include "snapshotter/base/cancel.h"
#include "snapshotter/oci/image_config.h"
#include "snapshotter/snapshotter.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mybuild::run {

struct Volume {
  enum class Kind {
    Bind,       // `source`: absolute host path; made as a directory if missing, as docker does
    Named,      // `source`: a volume of the store, made if missing
    Anonymous,  // a volume of this container
  };
  Kind kind = Kind::Bind;
  std::string source;
  std::string target;  // absolute
  bool read_only = false;
  bool copy = true;  // an empty volume gets what the image has at `target`
};

struct RunRequest {
  std::string image;
  std::vector<std::string> args;              // replace CMD
  std::optional<std::string> entrypoint;      // "" clears the image's
  std::vector<std::string> env;               // "K=V", or "K" to take it from our environment
  std::map<std::string, std::string> labels;  // win over the image's
  std::vector<Volume> volumes;
  std::string workdir;
  std::string user;
  std::string hostname;
  std::string name;     // unique among containers; empty = two words
  std::string id_file;  // gets the container's id; must not exist
  sandbox::Network network = sandbox::Network::Host;
  bool interactive = false;  // -i
  bool terminal = false;     // -t
  bool init = false;
  bool auto_remove = false;  // --rm
};

struct ContainerExit {
  int code = 0;             // the program's, 128 + signal, or 125/126/127 as docker
  std::string start_error;  // for 126 and 127
  std::string hint;         // what would help against that
  std::string warning;      // the program ended, but its end could not be written down
};

struct ContainerDeps {
  sandbox::Sandbox& sandbox;
  snapshotter::Snapshotter& snapshotter;
  ContainerStore& containers;
  VolumeStore& volumes;
};

/// An image as a container needs it.
struct ContainerImage {
  Digest id;
  oci::ImageConfig config;
  std::vector<std::string> layer_dirs;  // trees, lowest first
};

/// ENTRYPOINT and CMD of the image, as the request changes them.
struct CommandLine {
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
};
CommandLine command_line(const oci::ImageConfig& config, const RunRequest& request);

/// argv, env, user, directory and the request's host volumes, from the image's config and the
/// request (docker's rules). No I/O but reading our own environment; the root, the volumes of the
/// store and resolv.conf are the runner's.
Result<sandbox::SandboxPlan> make_container_plan(const oci::ImageConfig& config,
                                                 const RunRequest& request);

/// Terminal modes and signals (INT, TERM, HUP, QUIT, WINCH, USR1, USR2) are passed on, a third INT
/// or TERM kills. An Error means that the program did not run (docker's exit code 125), or
/// `cancel`.
Result<ContainerExit> run_container(const ContainerImage& image, const RunRequest& request,
                                    ContainerDeps& deps, const Cancel& cancel);

/// Runs a stopped container again, with its files and as it was recorded. `layer_dirs`: the trees
/// of record().layers. Our input goes to the program if `interactive` and if it was made with -i.
Result<ContainerExit> start_container(std::unique_ptr<OwnedContainer> container,
                                      const std::vector<std::string>& layer_dirs, bool interactive,
                                      ContainerDeps& deps, const Cancel& cancel);

}  // namespace mybuild::run

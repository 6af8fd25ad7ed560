// SPDX-License-Identifier: Apache-2.0
// SandboxPlan: everything the sandbox helper needs to run one command, as data with a JSON form, so
// that `mybuild-sandbox plan.json` repeats a failing step under strace. Secrets are never values in
// it, only descriptors. Value types.
#pragma once

#include "snapshotter/base/result.h"
#include "snapshotter/snapshotter.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::sandbox {

/// A mount inside the root, made in list order after the standard ones (/proc, /dev, /sys,
/// /etc/hosts, /etc/resolv.conf), which it may cover.
struct PlanMount {
  enum class Type {
    Bind,     // `source` (a host path) appears at `target`; never a committed tree of the store
    Overlay,  // `overlay` is mounted and `source_path` inside it appears at `target`
    Tmpfs,
    File,    // a read-only file in memory with the bytes of descriptor `fd` (a secret) or of
             // `content`
    Socket,  // `fd`, a stream socket without a name: gets one at `target` and listens; whoever else
             // holds it accepts
    Device,  // a device node of our own with number `device`
  };
  Type type = Type::Bind;
  std::string target;  // absolute, resolved inside the root; made if missing
  std::string source;  // Bind; Device: the host's node, taken where making one is forbidden
  snapshotter::RootMount overlay;
  std::string source_path = "/";  // Overlay: what of it to show; links are resolved inside
  bool read_only = false;
  bool recursive = true;   // Bind: with the mounts below it
  bool no_suid = false;    // Bind
  bool no_exec = false;    // Bind, File
  std::uint64_t size = 0;  // Tmpfs: bytes, 0 = default
  std::uint32_t mode = 0;  // Tmpfs: 0 = 01777; File: 0 = 0400; Device: with its S_IFMT
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t device = 0;  // Device
  int fd = -1;               // File, Socket: descriptor number in the helper
  std::string content;       // File
};

/// A variable whose value is what descriptor `fd` (a memory file) holds; it replaces one of the
/// same name.
struct SecretVariable {
  std::string name;
  int fd = -1;
};

struct Rlimit {
  std::string name;  // "nofile"
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};

enum class Network { Host, None };

struct SandboxPlan {
  snapshotter::RootMount root;
  bool root_read_only = false;
  /// Says that the lowest layer was made by make_mount_point_layer(), for readers of the plan: what
  /// the root still lacks is made and removed again either way.
  bool mount_points_in_lower = false;
  std::vector<PlanMount> mounts;

  std::vector<std::string> argv;  // looked up in the PATH of `env` inside the root, as execvp does
  std::vector<std::string> env;   // HOME is added from the root's /etc/passwd when missing
  std::vector<SecretVariable> secret_env;
  std::string cwd = "/";      // made 0755, owned by the user, when missing
  std::string user;           // "", "name", "uid", "user:group"; looked up inside the root
  std::vector<gid_t> groups;  // beside those of the user
  std::string hostname;

  Network network = Network::Host;
  std::string hosts;        // text of /etc/hosts
  std::string resolv_conf;  // text of /etc/resolv.conf
  /// A container may edit these two, and finds its name in /etc/hostname; a step may not.
  bool own_network_files = false;
  std::uint64_t shm_size = 64 << 20;
  std::vector<Rlimit> rlimits;
  bool insecure = false;  // all capabilities, no seccomp filter, nothing masked
  bool terminal = false;  // stdio is a terminal: make it the controlling one (run -t)
  bool batch = false;     // nobody waits for single answers of it: SCHED_BATCH (sched(7))
  bool init = false;      // a small init as PID 1 that reaps
  int held_fd = -1;       // descriptor number in the helper, which keeps it open until all is over
};

/// docker's defaults: the 14 capabilities, masked and read-only paths (moby oci/defaults.go).
struct SandboxDefaults {
  std::vector<int> capabilities;  // CAP_* numbers
  std::vector<std::string> masked_paths;
  std::vector<std::string> read_only_paths;
};
const SandboxDefaults& sandbox_defaults();

std::string dump(const SandboxPlan& plan);
Result<SandboxPlan> parse_plan(std::string_view json);

}  // namespace mybuild::sandbox

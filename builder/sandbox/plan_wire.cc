// SPDX-License-Identifier: Apache-2.0
#include "builder/sandbox/plan_wire.h"

#include <cstring>
#include <type_traits>

namespace mybuild::sandbox {

namespace {

constexpr std::string_view kMagic = "mybuild-plan-1\n";

template <class T>
constexpr bool kIsPlain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

// All fields of a type, in their order: for the packer and the unpacker alike.

void each_field(auto& archive, SandboxPlan& plan) {
  archive(plan.root, plan.root_read_only, plan.mount_points_in_lower, plan.mounts, plan.argv,
          plan.env, plan.secret_env, plan.cwd, plan.user, plan.groups, plan.hostname, plan.network,
          plan.hosts, plan.resolv_conf, plan.own_network_files, plan.shm_size, plan.rlimits,
          plan.insecure, plan.terminal, plan.batch, plan.init, plan.held_fd);
}

void each_field(auto& archive, snapshotter::RootMount& root) {
  archive(root.type, root.lower, root.upper, root.work, root.durable, root.source);
}

void each_field(auto& archive, PlanMount& mount) {
  archive(mount.type, mount.target, mount.source, mount.overlay, mount.source_path, mount.read_only,
          mount.recursive, mount.no_suid, mount.no_exec, mount.size, mount.mode, mount.uid,
          mount.gid, mount.device, mount.fd, mount.content);
}

void each_field(auto& archive, SecretVariable& variable) {
  archive(variable.name, variable.fd);
}

void each_field(auto& archive, Rlimit& limit) {
  archive(limit.name, limit.soft, limit.hard);
}

class Packer {
 public:
  explicit Packer(std::string& bytes) : bytes_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (put(values), ...);
  }

 private:
  void put(std::string& text) {
    put_size(text.size());
    bytes_ += text;
  }
  template <class T>
  void put(std::vector<T>& list) {
    put_size(list.size());
    for (T& item : list) {
      put(item);
    }
  }
  template <class T>
  void put(T& value) {
    if constexpr (kIsPlain<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      each_field(*this, value);
    }
  }
  void put_size(std::uint64_t size) { put(size); }

  std::string& bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (take(values), ...);
  }
  /// All was there, and nothing else.
  bool complete() const { return good_ && rest_.empty(); }

 private:
  void take(std::string& text) {
    text = next(take_size());
    good_ = good_ && text.find('\0') == std::string::npos;
  }
  template <class T>
  void take(std::vector<T>& list) {
    const std::uint64_t count = take_size();
    for (std::uint64_t i = 0; i < count && good_; ++i) {
      take(list.emplace_back());
    }
  }
  template <class T>
  void take(T& value) {
    if constexpr (kIsPlain<T>) {
      const std::string_view bytes = next(sizeof value);
      if (good_) {
        std::memcpy(&value, bytes.data(), sizeof value);
      }
    } else {
      each_field(*this, value);
    }
  }
  std::uint64_t take_size() {
    std::uint64_t size = 0;
    take(size);
    return size;
  }
  std::string_view next(std::uint64_t size) {
    good_ = good_ && size <= rest_.size();
    if (!good_) {
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string pack(const SandboxPlan& plan) {
  std::string bytes(kMagic);
  Packer packer(bytes);
  each_field(packer, const_cast<SandboxPlan&>(plan));  // one list of fields serves both ways
  return bytes;
}

Result<SandboxPlan> unpack(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    return invalid_argument("plan: of another version of mybuild");
  }
  SandboxPlan plan;
  Unpacker unpacker(bytes.substr(kMagic.size()));
  each_field(unpacker, plan);
  if (!unpacker.complete()) {
    return invalid_argument("plan: cut off, or with a zero byte in a text");
  }
  if (plan.argv.empty()) {
    return invalid_argument("argv: the command is missing");
  }
  return plan;
}

}  // namespace mybuild::sandbox

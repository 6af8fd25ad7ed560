// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container_dir.h"

#include "snapshotter/base/json.h"
#include "snapshotter/base/sys.h"

#include <sys/random.h>

#include <array>
#include <cerrno>

namespace mybuild::run {

namespace {

constexpr std::size_t kShownDigits = 12;
constexpr const char* kLockFile = "lock";
constexpr const char* kStateFile = "container.json";

/// Held while directories are made or judged dead, so that a new one is never without its lock in
/// between.
Result<FileLock> lock_gate(const std::string& containers_dir) {
  return FileLock::acquire(join_path(containers_dir, ".gate"), FileLock::Mode::Exclusive);
}

using Dead = ContainerDir::Dead;

struct Census {
  std::vector<RunningContainer> running;
  std::vector<Dead> dead;
};

Result<RunningContainer> read_state(const std::string& path, const std::string& id) {
  const std::string text = TRY(read_file(join_path(path, kStateFile)));
  const Json state = TRY(parse_json(text));
  const JsonField root(state, "container");
  const JsonField name = TRY(root.field("name"));
  const JsonField image = TRY(root.field("image"));
  RunningContainer container;
  container.id = id;
  container.name = TRY(name.string_or(""));
  container.image = TRY(image.string_or(""));
  return container;
}

std::string dump_state(const RunningContainer& container) {
  return canonical_dump(
      Json{{"id", container.id}, {"name", container.name}, {"image", container.image}});
}

/// The gate must be held.
Result<Census> take_census(const std::string& containers_dir) {
  Census census;
  const Fd dir = TRY(sys::open(containers_dir, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(sys::list_dir(dir.get()))) {
    if (name.starts_with('.')) {
      continue;
    }
    const std::string path = join_path(containers_dir, name);
    Result<std::optional<FileLock>> lock =
        FileLock::try_acquire(join_path(path, kLockFile), FileLock::Mode::Exclusive);
    if (!lock) {
      continue;  // its owner is just removing it
    }
    if (lock->has_value()) {
      census.dead.push_back({.path = path, .lock = std::move(**lock)});
    } else if (Result<RunningContainer> container = read_state(path, name)) {
      census.running.push_back(std::move(*container));
    }
  }
  return census;
}

Status check_name(const std::vector<RunningContainer>& running, const std::string& name) {
  for (const RunningContainer& other : running) {
    if (other.name == name) {
      return make_error(ErrorKind::AlreadyExists, "the container name {} is in use by container {}",
                        name, other.id.substr(0, kShownDigits));
    }
  }
  return {};
}

}  // namespace

Result<std::string> new_container_id() {
  std::array<std::byte, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return os_error(errno, "get random bytes");
  }
  return to_hex(bytes);
}

Result<ContainerDir> ContainerDir::create(const std::string& containers_dir,
                                          const RunningContainer& container) {
  TRY(make_dirs(containers_dir, 0700));
  std::vector<Dead> dead;
  Result<ContainerDir> made = make_locked(containers_dir, container, dead);
  for (const Dead& left : dead) {  // after the gate is open again: this may take a while
    (void)remove_tree(left.path);
  }
  return made;
}

/// The gate is held inside.
Result<ContainerDir> ContainerDir::make_locked(const std::string& containers_dir,
                                               const RunningContainer& container,
                                               std::vector<Dead>& dead) {
  const FileLock gate = TRY(lock_gate(containers_dir));
  Census census = TRY(take_census(containers_dir));
  dead = std::move(census.dead);
  TRY(check_name(census.running, container.name));
  const std::string path = join_path(containers_dir, container.id);
  TRY(sys::mkdir_at(AT_FDCWD, path, 0700));
  FileLock lock = TRY(FileLock::acquire(join_path(path, kLockFile), FileLock::Mode::Exclusive));
  ContainerDir made(path, std::move(lock));
  TRY(write_file(join_path(path, kStateFile), dump_state(container)));
  return made;
}

ContainerDir::ContainerDir(ContainerDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
ContainerDir::~ContainerDir() {
  if (!path_.empty()) {
    (void)remove_tree(path_);
  }
}

Result<std::vector<RunningContainer>> running_containers(const std::string& containers_dir) {
  if (!sys::exists_at(AT_FDCWD, containers_dir)) {
    return std::vector<RunningContainer>();
  }
  const FileLock gate = TRY(lock_gate(containers_dir));
  Census census = TRY(take_census(containers_dir));
  return std::move(census.running);
}

}  // namespace mybuild::run

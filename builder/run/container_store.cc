// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container_store.h"

#include "builder/run/container_files.h"
#include "builder/run/disk_usage.h"
#include "builder/run/names.h"
#include "builder/run/program_process.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/reserve.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>

namespace mybuild::run {

namespace {

constexpr int kKilled = 128 + SIGKILL;
constexpr std::chrono::seconds kKillGrace(10);

ContainerState running_since(Time started) {
  ContainerState state;
  state.status = ContainerStatus::Running;
  state.started = started;
  return state;
}

ContainerState killed_at(Time finished, ContainerState state) {
  state.status = ContainerStatus::Exited;
  state.exit_code = kKilled;
  state.finished = finished;
  return state;
}

/// What the store and the containers that it hands out share.
struct Shared {
  ContainerFiles files;
  VolumeStore& volumes;
  const Clock& clock;

  Result<std::vector<std::string>> users_of(const std::string& volume,
                                            std::string_view but = {}) const;
  void remove_anonymous_volumes(const ContainerRecord& record) const;
  /// Takes the container away; `lock` keeps others off until it is gone.
  Status discard(const std::string& id, bool with_volumes, RunLock lock) const;
};

Result<std::vector<std::string>> Shared::users_of(const std::string& volume,
                                                  std::string_view but) const {
  std::vector<std::string> users;
  for (const std::string& id : TRY(files.all())) {
    const Result<ContainerRecord> record = files.read_record(id);
    const bool uses = record && id != but &&
                      std::any_of(record->volumes.begin(), record->volumes.end(),
                                  [&](const VolumeUse& use) { return use.volume == volume; });
    if (uses) {
      users.push_back(id);
    }
  }
  return users;
}

/// One that others use by its name, or that was never made, is none of ours to remove.
void Shared::remove_anonymous_volumes(const ContainerRecord& record) const {
  const VolumeUsers others = [&](const std::string& volume) { return users_of(volume, record.id); };
  for (const VolumeUse& use : record.volumes) {
    if (!use.anonymous) {
      continue;
    }
    if (const Status removed = volumes.remove(use.volume, others); !removed) {
      log::debug("volume {}: {}", use.volume, removed.error().message());
    }
  }
}

Status Shared::discard(const std::string& id, bool with_volumes, RunLock lock) const {
  const Result<ContainerRecord> record = files.read_record(id);
  if (with_volumes && record) {
    TRY(files.drop_state(
        id));  // should we be killed now, there is no container without its volumes
    remove_anonymous_volumes(*record);
  }
  std::string left;
  {
    const FileLock gate = TRY(files.lock_gate());
    left = TRY(files.move_away(id));
    const RunLock released = std::move(lock);
  }
  return remove_tree(left);
}

class Owned final : public OwnedContainer {
 public:
  Owned(const Shared& shared, ContainerRecord record, RunLock lock, bool complete)
      : shared_(shared),
        record_(std::move(record)),
        path_(shared.files.path(record_.id)),
        lock_(std::move(lock)),
        complete_(complete) {}

  /// From here on others can tell a container that runs from one that is dying.
  Status mark_owned() {
    FileLock owner = TRY(shared_.files.lock_owner(record_.id));
    owner_.emplace(std::move(owner));
    return {};
  }

  ~Owned() override {
    if (lock_ && !complete_) {
      (void)discard();
    }
  }

  const ContainerRecord& record() const override { return record_; }
  const std::string& path() const override { return path_; }
  int signals() const override { return lock_->fd(); }

  Status begin() override {
    started_ = shared_.clock.now();
    if (!record_.auto_remove) {  // nobody would read it after our end
      const std::string what = "container " + record_.name;
      TRY(shared_.files.reserve_end(record_.id).context(what));
      TRY(shared_.files.write_state(record_.id, running_since(started_)).context(what));
      complete_ = true;
    }
    return {};
  }

  Status end(ContainerState state) override {
    if (record_.auto_remove) {
      return discard();
    }
    state.started = started_;
    state.finished = shared_.clock.now();
    Status written = shared_.files.write_end(record_.id, state);
    lock_.reset();
    owner_.reset();
    return std::move(written).context("container " + record_.name);
  }

 private:
  Status discard() {
    RunLock lock = std::move(*lock_);
    lock_.reset();
    return shared_.discard(record_.id, true, std::move(lock));
  }

  const Shared& shared_;
  const ContainerRecord record_;
  const std::string path_;
  std::optional<FileLock> owner_;  // outlives lock_
  std::optional<RunLock> lock_;
  bool complete_;
  Time started_{};
};

class DirectoryContainers final : public ContainerStore {
 public:
  DirectoryContainers(ContainerStoreOptions options, VolumeStore& volumes, const Clock& clock)
      : shared_{ContainerFiles(std::move(options.dir), std::move(options.trash_dir)), volumes,
                clock} {}

  Result<std::unique_ptr<OwnedContainer>> create(ContainerRecord record) override;
  Result<std::unique_ptr<OwnedContainer>> take(const std::string& name_or_id) override;
  Result<std::vector<Container>> list() override;
  Result<std::vector<std::vector<Digest>>> layers_in_use() override;
  Result<Container> find(const std::string& name_or_id) override;
  Status remove(const std::string& name_or_id, RemoveOptions options) override;
  Status signal(const std::string& name_or_id, int signal) override;
  Status stop(const std::string& name_or_id, int signal, std::chrono::seconds grace) override;
  Result<std::uint64_t> written_bytes(const std::string& id) override {
    return tree_bytes(join_path(path(id), "fs"));
  }
  std::string path(const std::string& id) const override { return shared_.files.path(id); }
  pid_t program(const std::string& id) override {
    return find_program(shared_.files.lock_path(id));
  }
  Result<std::vector<std::string>> users_of(const std::string& volume) override {
    return shared_.users_of(volume);
  }

 private:
  Status settle_dead();
  void settle(const std::string& id, RunLock lock);
  Status check_wanted_name(const std::string& name) const;
  Result<std::string> free_name(const std::string& wanted) const;
  Result<std::string> resolve(const std::string& name_or_id) const;
  Result<std::optional<Container>> load(const std::string& id, bool live) const;
  bool runs(const std::string& id) const;
  Result<std::optional<RunLock>> try_lock(const std::string& id) const;
  Status wait_while_dying(const std::string& id) const;
  Result<std::optional<RunLock>> lock_unless_owned(const std::string& id);
  Status kill(const std::string& id, RunningPeer& peer) const;

  const Shared shared_;
};

/// The run locks that nobody holds any more are of owners that were killed.
Status DirectoryContainers::settle_dead() {
  const ContainerFiles& files = shared_.files;
  if (TRY(files.marked_running()).empty()) {
    return {};
  }
  std::vector<std::pair<std::string, RunLock>> dead;
  {
    const FileLock gate = TRY(files.lock_gate());
    for (const std::string& id : TRY(files.marked_running())) {
      std::optional<RunLock> lock = TRY(RunLock::try_acquire(files.lock_path(id)));
      if (lock) {
        dead.emplace_back(id, std::move(*lock));
      }
    }
  }
  for (auto& [id, lock] : dead) {  // with the gate open: this may take a while
    settle(id, std::move(lock));
  }
  return {};
}

/// What cannot be read is kept: it may be all that somebody has of their files.
void DirectoryContainers::settle(const std::string& id, RunLock lock) {
  const ContainerFiles& files = shared_.files;
  if (!files.exists(id)) {
    return;
  }
  const Result<ContainerRecord> record = files.read_record(id);
  const Result<std::optional<ContainerState>> state = files.read_state(id);
  const bool incomplete = state && !*state;
  if (incomplete || (record && record->auto_remove)) {
    (void)shared_.discard(id, true, std::move(lock));
  } else if (state && (*state)->status == ContainerStatus::Running) {
    (void)files.write_end(id, killed_at(shared_.clock.now(), **state));  // load() says the same
  }
}

/// The gate must be held.
Result<std::string> DirectoryContainers::free_name(const std::string& wanted) const {
  if (!wanted.empty()) {
    const std::optional<std::string> owner = shared_.files.owner_of(wanted);
    if (owner) {
      return make_error(ErrorKind::AlreadyExists, "the container name {} is in use by container {}",
                        wanted, owner->substr(0, kShortId))
          .with_hint(fmt::format("remove it with `mybuild rm {}`, or choose another name", wanted));
    }
    return wanted;
  }
  constexpr int kPlainTries = 8;
  for (int count = 0;; ++count) {
    std::string name = TRY(random_name());
    if (count >= kPlainTries) {
      name += std::to_string(count);
    }
    if (!shared_.files.owner_of(name)) {
      return name;
    }
  }
}

/// A container of --rm that is dying gives its name back.
Status DirectoryContainers::check_wanted_name(const std::string& name) const {
  if (name.empty()) {
    return {};
  }
  TRY(check_name("container", name));
  const std::optional<std::string> owner = shared_.files.owner_of(name);
  return owner ? wait_while_dying(*owner) : Status();
}

Result<std::unique_ptr<OwnedContainer>> DirectoryContainers::create(ContainerRecord record) {
  const ContainerFiles& files = shared_.files;
  TRY(check_wanted_name(record.name));
  TRY(files.make_directories());
  TRY(settle_dead());
  record.created = shared_.clock.now();
  std::unique_ptr<OwnedContainer> owned;  // if it goes again, it goes after the gate
  const snapshotter::GcLock root = TRY(files.lock_root());  // before the gate: collectors list us
  const FileLock gate = TRY(files.lock_gate());
  record.name = TRY(free_name(record.name));
  std::optional<RunLock> lock = TRY(RunLock::try_acquire(files.lock_path(record.id)));
  if (!lock) {
    return internal_error("container id {} is taken", record.id);
  }
  TRY(sys::mkdir_at(AT_FDCWD, files.path(record.id), 0700));
  auto made = std::make_unique<Owned>(shared_, std::move(record), std::move(*lock), false);
  Owned& container = *made;
  owned = std::move(made);
  TRY(files.write_record(owned->record()));
  TRY(container.mark_owned());
  TRY(files.take_name(owned->record().name, owned->record().id));
  return owned;
}

/// Somebody is there who runs it. The run lock alone says less: it is also held by what dies.
bool DirectoryContainers::runs(const std::string& id) const {
  return sys::exists_at(AT_FDCWD, shared_.files.lock_path(id)) && shared_.files.has_owner(id);
}

/// The kernel may take a while to end a killed container's processes, and longer to write out what
/// they left in its layer.
Status DirectoryContainers::wait_while_dying(const std::string& id) const {
  constexpr std::chrono::milliseconds kLook(50);
  const auto deadline = std::chrono::steady_clock::now() + kKillGrace;
  while (!runs(id)) {
    std::optional<RunningPeer> peer = TRY(RunningPeer::reach(shared_.files.lock_path(id)));
    if (!peer || TRY(peer->wait_for_end(kLook))) {
      return {};
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return make_error(ErrorKind::Deadline, "container {} was killed and does not end",
                        id.substr(0, kShortId))
          .with_hint("its disk may be busy; try again later");
    }
  }
  return {};
}

/// nullopt when it runs.
Result<std::optional<RunLock>> DirectoryContainers::lock_unless_owned(const std::string& id) {
  std::optional<RunLock> lock = TRY(try_lock(id));
  if (lock || runs(id)) {
    return lock;
  }
  TRY(wait_while_dying(id));
  TRY(settle_dead());
  return try_lock(id);
}

/// nullopt when somebody has it.
Result<std::optional<RunLock>> DirectoryContainers::try_lock(const std::string& id) const {
  const FileLock gate = TRY(shared_.files.lock_gate());
  if (!shared_.files.exists(id)) {
    return not_found("container {} was removed", id.substr(0, kShortId));
  }
  return RunLock::try_acquire(shared_.files.lock_path(id));
}

Result<std::unique_ptr<OwnedContainer>> DirectoryContainers::take(const std::string& name_or_id) {
  const ContainerFiles& files = shared_.files;
  TRY(settle_dead());
  const std::string id = TRY(resolve(name_or_id));
  ContainerRecord record = TRY(files.read_record(id).context("container " + name_or_id));
  std::optional<RunLock> lock = TRY(lock_unless_owned(id));
  if (!lock) {
    return make_error(ErrorKind::Denied, "container {} is running", name_or_id);
  }
  auto owned = std::make_unique<Owned>(shared_, std::move(record), std::move(*lock), true);
  TRY(owned->mark_owned());
  return std::unique_ptr<OwnedContainer>(std::move(owned));
}

/// nullopt when it is just being removed, or cannot be read.
Result<std::optional<Container>> DirectoryContainers::load(const std::string& id, bool live) const {
  Result<ContainerRecord> record = shared_.files.read_record(id);
  Result<std::optional<ContainerState>> state = shared_.files.read_state(id);
  if (!record || !state || (!live && !*state)) {
    log::debug("container {} is not shown: {}", id,
               !record ? record.error().message() : "it has no state");
    return std::optional<Container>();
  }
  Container container{.record = std::move(*record), .state = {}};
  if (*state) {
    container.state = std::move(**state);
  } else if (container.record.auto_remove) {
    container.state = running_since(container.record.created);
  }
  if (!live && container.running()) {
    container.state = killed_at(shared_.clock.now(), std::move(container.state));
  }
  return std::optional(std::move(container));
}

Result<std::vector<Container>> DirectoryContainers::list() {
  TRY(settle_dead());
  std::vector<Container> containers;
  for (const std::string& id : TRY(shared_.files.all())) {
    std::optional<Container> container = TRY(load(id, runs(id)));
    if (container) {
      containers.push_back(std::move(*container));
    }
  }
  std::stable_sort(containers.begin(), containers.end(), [](const auto& a, const auto& b) {
    return a.record.created > b.record.created;
  });
  return containers;
}

Result<std::vector<std::vector<Digest>>> DirectoryContainers::layers_in_use() {
  TRY(settle_dead());
  std::vector<std::vector<Digest>> chains;
  for (const std::string& id : TRY(shared_.files.all())) {
    Result<ContainerRecord> record = shared_.files.read_record(id);
    if (record) {
      chains.push_back(std::move(record->layers));
      continue;
    }
    const int code = record.error().os_errno();
    const bool is_none = code == ENOENT || code == ENOTDIR;  // it went, or is no container
    // A record that is being written has no state yet, and whoever writes it has leases.
    const bool is_draft = code == 0 && !TRY(shared_.files.read_state(id));
    if (!is_none && !is_draft) {
      return std::move(record)
          .error()
          .context("find out what container " + id + " needs")
          .with_hint(fmt::format("`mybuild rm {}` removes it, if its record is damaged", id));
    }
  }
  return chains;
}

Result<std::string> DirectoryContainers::resolve(const std::string& name_or_id) const {
  const ContainerFiles& files = shared_.files;
  if (check_name("container", name_or_id)) {
    if (std::optional<std::string> id = files.owner_of(name_or_id)) {
      return *std::move(id);
    }
  }
  std::optional<std::string> found;
  for (const std::string& id : TRY(files.all())) {
    if (name_or_id.empty() || !id.starts_with(name_or_id)) {
      continue;
    }
    if (found) {
      return invalid_argument("{} is the start of several container ids", name_or_id);
    }
    found = id;
  }
  if (!found) {
    return not_found("no such container: {}", name_or_id)
        .with_hint("`mybuild ps -a` lists what there is");
  }
  return *std::move(found);
}

Result<Container> DirectoryContainers::find(const std::string& name_or_id) {
  TRY(settle_dead());
  const std::string id = TRY(resolve(name_or_id));
  std::optional<Container> container = TRY(load(id, runs(id)));
  if (!container) {
    return data_loss("the record of container {} cannot be read", name_or_id)
        .with_hint("its files are in " + shared_.files.path(id));
  }
  return *std::move(container);
}

Status DirectoryContainers::kill(const std::string& id, RunningPeer& peer) const {
  TRY(peer.send(SIGKILL));
  if (!TRY(peer.wait_for_end(kKillGrace))) {
    return make_error(ErrorKind::Deadline, "container {} does not end", id.substr(0, kShortId))
        .with_hint("is the mybuild process that runs it stopped?");
  }
  return {};
}

Status DirectoryContainers::remove(const std::string& name_or_id, RemoveOptions options) {
  const ContainerFiles& files = shared_.files;
  TRY(settle_dead());
  const std::string id = TRY(resolve(name_or_id));
  std::optional<snapshotter::OpenReserve> reserve;
  for (;;) {
    Result<std::optional<RunLock>> lock = lock_unless_owned(id);
    if (!lock && lock.error().os_errno() == ENOSPC && !reserve) {
      reserve.emplace(files.state_directory());  // the lock is a file, too
      continue;
    }
    if (!lock) {
      return lock.error().kind() == ErrorKind::NotFound ? Status() : lock.error();
    }
    if (*lock) {
      return shared_.discard(id, options.volumes, std::move(**lock));
    }
    if (!options.force) {
      return make_error(ErrorKind::Denied, "container {} is running", name_or_id)
          .with_hint("stop it first, or remove it with -f");
    }
    std::optional<RunningPeer> peer = TRY(RunningPeer::reach(files.lock_path(id)));
    if (peer) {
      TRY(kill(id, *peer));
    }
  }
}

Status DirectoryContainers::signal(const std::string& name_or_id, int signal) {
  const std::string id = TRY(resolve(name_or_id));
  std::optional<RunningPeer> peer;
  if (runs(id)) {
    peer = TRY(RunningPeer::reach(shared_.files.lock_path(id)));
  }
  if (!peer) {
    return make_error(ErrorKind::Denied, "container {} is not running", name_or_id);
  }
  return peer->send(signal);
}

Status DirectoryContainers::stop(const std::string& name_or_id, int signal,
                                 std::chrono::seconds grace) {
  const std::string id = TRY(resolve(name_or_id));
  std::optional<RunningPeer> peer = TRY(RunningPeer::reach(shared_.files.lock_path(id)));
  if (!peer) {
    return {};
  }
  TRY(peer->send(signal));
  return TRY(peer->wait_for_end(grace))
  ? Status() : kill(id, *peer);
}

}  // namespace

std::unique_ptr<ContainerStore> make_container_store(ContainerStoreOptions options,
                                                     VolumeStore& volumes, const Clock& clock) {
  return std::make_unique<DirectoryContainers>(std::move(options), volumes, clock);
}

}  // namespace mybuild::run

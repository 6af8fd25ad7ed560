// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container_files.h"

#include "builder/run/names.h"
#include "snapshotter/base/sys.h"

#include <sys/file.h>

#include <algorithm>
#include <cerrno>

namespace mybuild::run {

namespace {

constexpr const char* kGate = ".gate";
constexpr const char* kNames = ".names";
constexpr const char* kRunning = ".running";
constexpr const char* kRecordFile = "container.json";
constexpr const char* kStateFile = "state.json";
constexpr const char* kEndFile = "end.json";
constexpr std::size_t kEndRoom = 4096;

Result<std::vector<std::string>> names_in(const std::string& path) {
  const Result<Fd> dir = sys::open(path, O_RDONLY | O_DIRECTORY);
  if (!dir) {
    return dir.error().os_errno() == ENOENT ? Result(std::vector<std::string>()) : dir.error();
  }
  std::vector<std::string> names = TRY(sys::list_dir(dir->get()));
  std::erase_if(names, [](const std::string& name) { return name.starts_with('.'); });
  return names;
}

Status replace_file(const std::string& path, const std::string& text, bool durable) {
  AtomicFile file = TRY(AtomicFile::create(path, 0600));
  TRY(file.write(as_bytes(text)));
  if (durable) {
    TRY(sys::fsync(file.fd()));
  }
  return std::move(file).commit();
}

}  // namespace

Status ContainerFiles::make_directories() const {
  for (const char* name : {kNames, kRunning}) {
    TRY(make_dirs(join_path(dir_, name), 0700));
  }
  return {};
}

Result<FileLock> ContainerFiles::lock_gate() const {
  return FileLock::acquire(join_path(dir_, kGate), FileLock::Mode::Exclusive);
}
Result<snapshotter::GcLock> ContainerFiles::lock_root() const {
  return snapshotter::GcLock::for_root(state_directory());
}

std::string ContainerFiles::lock_path(const std::string& id) const {
  return join_path(join_path(dir_, kRunning), id);
}

std::string ContainerFiles::name_path(const std::string& name) const {
  return join_path(join_path(dir_, kNames), name);
}

bool ContainerFiles::exists(const std::string& id) const {
  return sys::exists_at(AT_FDCWD, path(id));
}

Result<FileLock> ContainerFiles::lock_owner(const std::string& id) const {
  return FileLock::acquire(join_path(path(id), kRecordFile), FileLock::Mode::Exclusive);
}

bool ContainerFiles::has_owner(const std::string& id) const {
  const Result<Fd> record = sys::open(join_path(path(id), kRecordFile), O_RDONLY);
  return record && ::flock(record->get(), LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

Result<std::vector<std::string>> ContainerFiles::marked_running() const {
  return names_in(join_path(dir_, kRunning));
}

Result<std::vector<std::string>> ContainerFiles::all() const {
  return names_in(dir_);
}

Result<ContainerRecord> ContainerFiles::read_record(const std::string& id) const {
  const std::string text = TRY(read_note(join_path(path(id), kRecordFile)));
  return parse_container_record(text);
}

Status ContainerFiles::write_record(const ContainerRecord& record) const {
  const std::string file = join_path(path(record.id), kRecordFile);
  const std::string text = dump(record);
  return record.auto_remove ? write_file(file, text, 0600) : replace_file(file, text, true);
}

Result<std::optional<ContainerState>> ContainerFiles::read_state(const std::string& id) const {
  const Result<std::string> text = read_note(join_path(path(id), kStateFile));
  if (!text) {
    return text.error().os_errno() == ENOENT ? Result(std::optional<ContainerState>())
                                             : text.error();
  }
  return std::optional(TRY(parse_container_state(*text)));
}

Status ContainerFiles::write_state(const std::string& id, const ContainerState& state) const {
  return replace_file(join_path(path(id), kStateFile), dump(state), false);
}

Status ContainerFiles::reserve_end(const std::string& id) const {
  const std::string path = join_path(this->path(id), kEndFile);
  Status reserved = write_file(path, std::string(kEndRoom, ' '), 0600);
  if (!reserved) {
    (void)sys::unlink_at(AT_FDCWD, path);
  }
  return reserved;
}

Status ContainerFiles::write_end(const std::string& id, const ContainerState& state) const {
  constexpr std::size_t kMostError = kEndRoom / 8;  // a byte takes up to six in JSON
  ContainerState noted = state;
  noted.error.resize(std::min(noted.error.size(), kMostError));
  const std::string text = dump(noted);
  const std::string draft = join_path(path(id), kEndFile);
  {
    const Fd file = TRY(sys::open(draft, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
    TRY(sys::write_all(file.get(), as_bytes(text)));
    TRY(sys::ftruncate(file.get(), static_cast<off_t>(text.size())));
  }
  return sys::rename_at(AT_FDCWD, draft, AT_FDCWD, join_path(path(id), kStateFile));
}

Status ContainerFiles::drop_state(const std::string& id) const {
  Status dropped = sys::unlink_at(AT_FDCWD, join_path(path(id), kStateFile));
  return !dropped && dropped.error().os_errno() == ENOENT ? Status() : dropped;
}

std::optional<std::string> ContainerFiles::owner_of(const std::string& name) const {
  const Result<std::string> id = sys::readlink_at(AT_FDCWD, name_path(name));
  return id && exists(*id) ? std::optional(*id) : std::nullopt;
}

Status ContainerFiles::take_name(const std::string& name, const std::string& id) const {
  const std::string path = name_path(name);
  Status made = sys::symlink_at(id, AT_FDCWD, path);
  if (made || made.error().os_errno() != EEXIST) {
    return made;
  }
  TRY(sys::unlink_at(AT_FDCWD, path));  // of a container that is gone
  return sys::symlink_at(id, AT_FDCWD, path);
}

Result<std::string> ContainerFiles::move_away(const std::string& id) const {
  const std::string aside = join_path(trash_dir_, "container-" + id);
  const Result<ContainerRecord> record = read_record(id);
  TRY(make_dirs(trash_dir_, 0700));
  if (const Status moved = sys::rename_at(AT_FDCWD, path(id), AT_FDCWD, aside); !moved) {
    return moved.error().os_errno() == ENOENT ? Result(aside) : moved.error();
  }
  if (record) {
    const Result<std::string> owner = sys::readlink_at(AT_FDCWD, name_path(record->name));
    if (owner && *owner == id) {
      (void)sys::unlink_at(AT_FDCWD, name_path(record->name));
    }
  }
  return aside;
}

}  // namespace mybuild::run

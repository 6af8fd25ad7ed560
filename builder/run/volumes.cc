// SPDX-License-Identifier: Apache-2.0
#include "builder/run/volumes.h"

#include "builder/run/names.h"
#include "builder/run/volume_fill.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/json.h"
#include "snapshotter/base/sys.h"

#include <fmt/ranges.h>

#include <sys/file.h>

#include <cerrno>

namespace mybuild::run {

namespace {

constexpr const char* kGate = ".gate";
constexpr const char* kInfoFile = "volume.json";
constexpr const char* kData = "data";
constexpr const char* kDraft = ".draft";

std::string dump(const VolumeInfo& info) {
  return canonical_dump(Json{{"created", format_rfc3339(info.created)},
                             {"anonymous", info.anonymous},
                             {"labels", info.labels}});
}

Status parse_into(VolumeInfo& info, std::string_view text) {
  const Json value = TRY(parse_json(text));
  const JsonField top(value, "volume");
  const std::string created = TRY(TRY(top.field("created")).string());
  info.created = TRY(parse_rfc3339(created));
  info.anonymous = TRY(TRY(top.field("anonymous")).boolean_or(false));
  info.labels = TRY(TRY(top.field("labels")).string_map());
  return {};
}

Error no_such_volume(const std::string& name) {
  return not_found("no such volume: {}", name).with_hint("`mybuild volume ls` lists what there is");
}

class DirectoryVolumes final : public VolumeStore {
 public:
  DirectoryVolumes(std::string dir, std::string trash_dir, const Clock& clock)
      : dir_(std::move(dir)), trash_dir_(std::move(trash_dir)), clock_(clock) {}

  std::string data_path(const std::string& name) const override {
    return join_path(path_of(name), kData);
  }

  Result<VolumeInfo> ensure(const VolumeInfo& wanted) override {
    TRY(check_name("volume", wanted.name));
    TRY(make_dirs(dir_, 0700));
    const FileLock gate = TRY(lock_gate());
    if (!sys::exists_at(AT_FDCWD, data_path(wanted.name))) {
      VolumeInfo info = wanted;
      info.created = clock_.now();
      if (Status made = make(info); !made) {
        (void)remove_tree(path_of(kDraft));
        return std::move(made).context("make volume " + info.name).error();
      }
    }
    return read(wanted.name);
  }

  Result<bool> wants_contents(const std::string& name) override {
    const Fd volume = TRY(sys::open(path_of(name), O_RDONLY | O_DIRECTORY));
    const Fd data = TRY(sys::open_at(volume.get(), kData, O_RDONLY | O_DIRECTORY));
    return run::wants_contents(volume.get(), data.get());
  }

  Status fill(const std::string& name, const snapshotter::TreeView& image,
              const std::string& target) override {
    const Fd volume = TRY(sys::open(path_of(name), O_RDONLY | O_DIRECTORY));
    const Fd data = TRY(sys::open_at(volume.get(), kData, O_RDONLY | O_DIRECTORY));
    while (::flock(volume.get(), LOCK_EX) < 0) {
      if (errno != EINTR) {
        return os_error(errno, "lock volume " + name);
      }
    }
    return fill_volume(volume.get(), data.get(), image, target);
  }

  Result<std::vector<VolumeInfo>> list() override {
    std::vector<VolumeInfo> volumes;
    const Result<Fd> dir = sys::open(dir_, O_RDONLY | O_DIRECTORY);
    if (!dir) {
      return dir.error().os_errno() == ENOENT ? Result(std::move(volumes)) : dir.error();
    }
    for (const std::string& name : TRY(sys::list_dir(dir->get()))) {
      if (!name.starts_with('.') && sys::exists_at(AT_FDCWD, data_path(name))) {
        volumes.push_back(TRY(read(name)));
      }
    }
    return volumes;
  }

  Result<VolumeInfo> find(const std::string& name) override {
    const bool there = check_name("volume", name) && sys::exists_at(AT_FDCWD, data_path(name));
    return there ? read(name) : no_such_volume(name);
  }

  Status remove(const std::string& name, const VolumeUsers& users) override {
    TRY(find(name));
    const std::string aside = join_path(trash_dir_, "volume-" + TRY(new_id()));
    {
      const FileLock gate = TRY(lock_gate());
      if (const std::vector<std::string> ids = TRY(users(name)); !ids.empty()) {
        return make_error(ErrorKind::Denied, "volume {} is in use by container {}", name,
                          fmt::join(ids, ", "))
            .with_hint("`mybuild rm` removes containers");
      }
      TRY(make_dirs(trash_dir_, 0700));
      TRY(sys::rename_at(AT_FDCWD, path_of(name), AT_FDCWD, aside));
    }
    return remove_tree(aside);
  }

 private:
  std::string path_of(const std::string& name) const { return join_path(dir_, name); }
  Result<FileLock> lock_gate() const {
    return FileLock::acquire(join_path(dir_, kGate), FileLock::Mode::Exclusive);
  }

  /// Whole or not at all. Under the gate there is one draft; a killed process may have left it.
  Status make(const VolumeInfo& info) const {
    const std::string draft = path_of(kDraft);
    TRY(remove_tree(draft));
    TRY(make_dirs(draft, 0700));
    TRY(write_file(join_path(draft, kInfoFile), dump(info), 0600));
    TRY(make_data(join_path(draft, kData)));
    return sys::rename_at(AT_FDCWD, draft, AT_FDCWD, path_of(info.name));
  }

  /// Whatever our umask is.
  static Status make_data(const std::string& path) {
    TRY(sys::mkdir_at(AT_FDCWD, path, 0755));
    return sys::fchmod_at(AT_FDCWD, path, 0755);
  }

  /// A damaged note of a volume must not keep anybody from its data.
  Result<VolumeInfo> read(const std::string& name) const {
    VolumeInfo info;
    info.name = name;
    info.path = data_path(name);
    const Result<std::string> text = read_note(join_path(path_of(name), kInfoFile));
    if (!text || !parse_into(info, *text)) {
      const struct stat about = TRY(sys::stat_at(AT_FDCWD, info.path));
      info.created = Time(std::chrono::seconds(about.st_mtim.tv_sec));
    }
    return info;
  }

  const std::string dir_;
  const std::string trash_dir_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<VolumeStore> make_volume_store(std::string dir, std::string trash_dir,
                                               const Clock& clock) {
  return std::make_unique<DirectoryVolumes>(std::move(dir), std::move(trash_dir), clock);
}

}  // namespace mybuild::run

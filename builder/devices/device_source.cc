// SPDX-License-Identifier: Apache-2.0
#include "builder/devices/device_source.h"

#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <set>

namespace mybuild::devices {

namespace {

constexpr std::size_t kMaxSpec = std::size_t{4} << 20U;
constexpr std::string_view kClassAnnotation = "org.mobyproject.buildkit.device.class";
constexpr std::string_view kAllowAnnotation = "org.mobyproject.buildkit.device.autoallow";

std::optional<CdiFormat> format_of(std::string_view name) {
  if (name.ends_with(".json")) {
    return CdiFormat::Json;
  }
  return name.ends_with(".yaml") || name.ends_with(".yml") ? std::optional(CdiFormat::Yaml)
                                                           : std::nullopt;
}

std::string annotation(const Device& device, std::string_view name) {
  const auto found = device.annotations.find(std::string(name));
  return found == device.annotations.end() ? "" : found->second;
}

void add_missing(std::vector<std::string>& list, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::find(list.begin(), list.end(), name) == list.end()) {
      list.push_back(name);
    }
  }
}

}  // namespace

/// What the files say, by full names.
class DeviceSource::Catalogue {
 public:
  struct Entry {
    std::size_t spec = 0;  // its file
    std::size_t device = 0;
    std::size_t directory = 0;
    bool ambiguous = false;  // described twice in one directory
  };

  void load(const std::vector<std::string>& directories) {
    std::call_once(once_, [&] {
      for (std::size_t i = 0; i < directories.size(); ++i) {
        load_directory(directories[i], i);
      }
      std::erase_if(entries_, [](const auto& entry) { return entry.second.ambiguous; });
    });
  }

  /// The full names that `name` stands for: a device, the first of a kind, all of it ("=*"), or
  /// those of a class.
  Result<std::vector<std::string>> find(const std::string& name) const {
    const std::size_t equals = std::min(name.find('='), name.size());
    const std::string kind = name.substr(0, equals);
    const std::string own = name.substr(std::min(equals + 1, name.size()));
    if (!is_kind(kind)) {
      return invalid_argument("invalid device \"{}\"", name)
          .with_hint("a device is vendor.com/class=name");
    }
    if (entries_.contains(name)) {
      return std::vector<std::string>{name};
    }
    std::vector<std::string> found;
    for (const auto& [full, entry] : entries_) {
      if (full.starts_with(kind + "=") &&
          (own.empty() || own == "*" || annotation(device(entry), kClassAnnotation) == own)) {
        found.push_back(full);
      }
    }
    if (own.empty() && found.size() > 1) {
      found.resize(1);
    }
    return found;
  }

  bool allows_itself(const std::string& full) const {
    const std::string word = annotation(device(entries_.at(full)), kAllowAnnotation);
    return word == "true" || word == "1";
  }

  ContainerEdits edits(const std::vector<std::string>& names) const {
    ContainerEdits edits;
    std::set<std::size_t> seen;
    for (const std::string& name : names) {
      const Entry& entry = entries_.at(name);
      if (seen.insert(entry.spec).second) {
        edits.append(specs_[entry.spec].edits);
      }
      edits.append(device(entry).edits);
    }
    return edits;
  }

  /// Why something may be missing.
  const std::string& faults() const { return faults_; }

 private:
  const Device& device(const Entry& entry) const {
    return specs_[entry.spec].devices[entry.device];
  }

  void load_directory(const std::string& path, std::size_t directory) {
    const Result<Fd> fd = sys::open(path, O_RDONLY | O_DIRECTORY);
    if (!fd) {
      return;
    }
    for (const std::string& name : sys::list_dir(fd->get()).value_or(std::vector<std::string>())) {
      if (const auto format = format_of(name)) {
        const Status loaded = load_file(fd->get(), name, *format, directory);
        faults_ += loaded ? "" : fmt::format("{}/{}: {}; ", path, name, loaded.error().message());
      }
    }
  }

  Status load_file(int fd, const std::string& name, CdiFormat format, std::size_t directory) {
    const std::string text = TRY(read_regular_file(fd, name, kMaxSpec));
    specs_.push_back(TRY(parse_cdi_spec(text, format)));
    const CdiSpec& spec = specs_.back();
    for (std::size_t i = 0; i < spec.devices.size(); ++i) {
      const Entry entry{.spec = specs_.size() - 1, .device = i, .directory = directory};
      const auto [found, added] =
          entries_.emplace(fmt::format("{}={}", spec.kind, spec.devices[i].name), entry);
      if (!added && found->second.directory == directory) {
        found->second.ambiguous = true;
        faults_ += fmt::format("{} is described twice; ", found->first);
      } else if (!added) {
        found->second = entry;
      }
    }
    return {};
  }

  std::once_flag once_;
  std::vector<CdiSpec> specs_;
  std::map<std::string, Entry> entries_;
  std::string faults_;
};

DeviceSource::DeviceSource(std::vector<std::string> directories, DeviceGrants grants)
    : directories_(std::move(directories)),
      grants_(std::move(grants)),
      catalogue_(std::make_unique<Catalogue>()) {}

DeviceSource::~DeviceSource() = default;

Result<ContainerEdits> DeviceSource::edits(const std::vector<solver::CdiDevice>& wanted) {
  if (wanted.empty()) {
    return ContainerEdits();
  }
  catalogue_->load(directories_);
  const std::vector<std::string> names = TRY(granted(wanted));
  return catalogue_->edits(names);
}

/// The full names, all of them allowed.
Result<std::vector<std::string>> DeviceSource::granted(
    const std::vector<solver::CdiDevice>& wanted) const {
  std::vector<std::string> names;
  std::vector<std::string> allowed;
  for (const solver::CdiDevice& device : wanted) {
    const auto grant = grants_.named.find(device.name);
    const bool is_alias = grant != grants_.named.end() && !grant->second.empty();
    const std::vector<std::string> found =
        TRY(catalogue_->find(is_alias ? grant->second : device.name));
    if (found.empty() && device.required) {
      return not_found("required device \"{}\" is not registered", device.name)
          .with_hint(catalogue_->faults());
    }
    add_missing(names, found);
    add_missing(allowed, is_alias ? found : std::vector<std::string>());
  }
  for (const auto& [name, device] : grants_.named) {
    if (device.empty()) {
      const std::vector<std::string> found = TRY(catalogue_->find(name));
      add_missing(allowed, found);
    }
  }
  for (const std::string& name : names) {
    if (!grants_.all && !catalogue_->allows_itself(name) &&
        std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      return make_error(ErrorKind::Denied, "device {} is requested by the build but not allowed",
                        name)
          .with_hint(fmt::format("allow it with --allow device={}", name));
    }
  }
  return names;
}

std::vector<std::string> default_cdi_directories() {
  const char* given = std::getenv("MYBUILD_CDI_DIRS");
  std::string_view rest = given == nullptr ? "/etc/cdi:/var/run/cdi" : given;
  std::vector<std::string> directories;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    directories.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return directories;
}

}  // namespace mybuild::devices

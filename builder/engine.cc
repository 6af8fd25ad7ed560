// SPDX-License-Identifier: Apache-2.0
#include "builder/engine.h"

#include "builder/record_index.h"
#include "builder/services.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"
#include "snapshotter/content/local_store.h"
#include "snapshotter/reserve.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace mybuild::builder {

std::string default_root() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (std::string root = variable("MYBUILD_ROOT"); !root.empty()) {
    return root;
  }
  if (::geteuid() == 0) {
    return "/var/lib/mybuild";
  }
  const std::string data = variable("XDG_DATA_HOME");
  return data.empty() ? join_path(variable("HOME"), ".local/share/mybuild")
                      : join_path(data, "mybuild");
}

namespace {

/// What a state directory has from its first moments on; one of a process that was killed in them
/// may have but the second.
constexpr std::string_view kNamesOfStores[] = {"state.db", "leases"};
constexpr std::string_view kFirstNames[] = {"blobs", "ingest", "lost+found"};

template <std::size_t N>
bool is_one_of(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

/// Everything in tmp/ and trash/ of a state directory is removed, so nothing else may be taken for
/// one.
Status check_is_store(const std::string& root) {
  const Fd dir = TRY(sys::open(root, O_RDONLY | O_DIRECTORY));
  std::string stranger;
  for (const std::string& name : TRY(sys::list_dir(dir.get()))) {
    if (is_one_of(kNamesOfStores, name)) {
      return {};
    }
    stranger = is_one_of(kFirstNames, name) ? stranger : name;
  }
  if (stranger.empty()) {
    return {};
  }
  return Error(ErrorKind::Denied, fmt::format("{} is no state directory of mybuild: it has other "
                                              "files in it, such as {}",
                                              root, stranger))
      .with_hint("choose an empty or a new directory with --root or $MYBUILD_ROOT");
}

/// The store's lowest layers are read by steps of any user, but only its owner may look into it.
Status make_root(const std::string& root) {
  TRY(make_dirs(root, 0700));
  const struct stat info = TRY(sys::stat_at(AT_FDCWD, root));
  if (info.st_uid != ::geteuid()) {
    return Error(ErrorKind::Denied, fmt::format("{} belongs to user {}, this is user {}", root,
                                                info.st_uid, ::geteuid()))
        .with_hint("every user has a store of their own; choose one with --root or $MYBUILD_ROOT");
  }
  if (!sys::exists_at(AT_FDCWD, join_path(root, "state.db"))) {
    TRY(check_is_store(root));
  }
  return (info.st_mode & 0077) == 0 ? Status() : sys::fchmod_at(AT_FDCWD, root, 0700);
}

/// Another core can see how root file systems are made here while the database is made. With
/// "leases" the directory is a store to whoever else comes in these moments.
Status probe_new_store(Engine::Services& services) {
  if (sys::exists_at(AT_FDCWD, join_path(services.root, "snapshotter"))) {
    return {};
  }
  TRY(make_dirs(join_path(services.root, "leases"), 0700));
  services.lanes.post(Lane::Disk, [&services] { (void)services.get_snapshotter(); });
  return {};
}

/// As many steps of a build begin at once, as a rule.
constexpr std::size_t kFirstThreads = 3;

Result<std::string> absolute(const std::string& path) {
  if (path.starts_with('/')) {
    return path;
  }
  std::string here(4096, '\0');
  if (::getcwd(here.data(), here.size()) == nullptr) {
    return os_error(errno, "find the current directory");
  }
  here.resize(here.find('\0'));
  return join_path(here, path);
}

}  // namespace

Engine::Engine(std::unique_ptr<Services> services) : services_(std::move(services)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options) {
  options.root = TRY(absolute(options.root));
  TRY(make_root(options.root).context("open the store"));
  auto services = std::make_unique<Services>(options);
  Services& own = *services;
  own.transport = registry::make_lazy_curl_transport();
  if (options.expects_network) {
    // glibc holds the lock that pthread_create() takes for as long as dlopen() takes: 5 ms.
    own.lanes.begin_threads(Lane::Disk, kFirstThreads);
    own.lanes.post(Lane::Net, [transport = own.transport.get()] { transport->load(); });
  }
  own.helper = options.helper.empty() ? TRY(sandbox::find_helper()) : options.helper;
  if (options.expects_build) {
    TRY(probe_new_store(own));
  }
  own.content = TRY(snapshotter::make_local_content_store(own.root));
  own.metadata = TRY(snapshotter::Metadata::open(join_path(own.root, "state.db"), options.warn));
  own.layers =
      TRY(snapshotter::LayerStore::open(own.root, *own.content, *own.metadata, options.warn));
  snapshotter::keep_reserve(own.root);
  own.index = make_record_index(*own.metadata, own.clock);
  own.history = explain::make_history(own.metadata->builds(), own.clock);
  own.hosts = registry::make_host_table(
      registry::HostPlaces::from_environment(options.insecure_registries));
  own.credentials = registry::make_credential_store(registry::CredentialPlaces::from_environment());
  const registry::RegistryAccess access{.hosts = own.hosts.get(),
                                        .credentials = own.credentials.get()};
  own.registry = registry::make_registry_client(*own.transport, access);
  own.push = registry::make_registry_push(*own.transport, access);
  own.sandbox = sandbox::make_sandbox(own.helper);
  const std::string trash = join_path(own.root, "trash");
  own.volumes = run::make_volume_store(join_path(own.root, "volumes"), trash, own.clock);
  own.cache_mounts =
      std::make_unique<caches::CacheStore>(join_path(own.root, "cache-mounts"), trash, own.clock);
  own.containers = run::make_container_store(
      {.dir = join_path(own.root, "containers"), .trash_dir = trash}, *own.volumes, own.clock);
  return std::unique_ptr<Engine>(new Engine(std::move(services)));
}

}  // namespace mybuild::builder

// SPDX-License-Identifier: Apache-2.0
// Engine::publish_left, and the cache server's part in a build.
#include "builder/engine_cache_server.h"

#include "builder/cache_client/left_steps.h"
#include "builder/engine.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/log.h"
#include "snapshotter/base/sys.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace mybuild::builder {

namespace {

using cache_client::CacheClient;
using cache_client::LeftSteps;

constexpr std::chrono::minutes kBackground{10};
/// Of builds whose server was not to be had.
constexpr std::size_t kMostLeft = 64;
constexpr std::chrono::hours kLongEnough{24};

std::string folder_of(const std::string& root) {
  return join_path(root, "cache-publish");
}

/// Reads the layer's tar once more; only builds with secrets do.
Result<bool> has_secret(const Digest& diff_id, snapshotter::LayerStore& layers,
                        secrets::SecretSource& secrets, const secrets::KnownValues& known,
                        const Cancel& cancel) {
  for (const std::string& id : secrets.ids()) {
    TRY(secrets.get(id, cancel));  // also those that no step has asked for
  }
  secrets::ValueScan scan(known.values());
  TRY(layers.write_tar(diff_id, scan));
  return scan.found();
}

/// Of our own program, in a session of its own, with no stream of ours. It reads what is left in
/// the state directory.
Status spawn_publisher(const std::string& root) {
  const std::string program = TRY(sys::readlink_at(AT_FDCWD, "/proc/self/exe"));
  std::string verb = "cache-flush";
  std::string flag = "--root=" + root;
  std::string name = "mybuild";
  std::array<char*, 4> argv = {name.data(), verb.data(), flag.data(), nullptr};
  posix_spawn_file_actions_t streams;
  posix_spawnattr_t session;
  ::posix_spawn_file_actions_init(&streams);
  ::posix_spawnattr_init(&session);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::posix_spawn_file_actions_addopen(&streams, stream, "/dev/null", O_RDWR, 0);
  }
  ::posix_spawnattr_setflags(&session, POSIX_SPAWN_SETSID);
  pid_t process = 0;
  const int failed =
      ::posix_spawn(&process, program.c_str(), &streams, &session, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&streams);
  ::posix_spawnattr_destroy(&session);
  return failed == 0 ? Status() : Status(os_error(failed, "start " + program));
}

/// Names of files say whose they are: what a branch's build has left is not to be published with
/// the token of another's.
std::string prefix_of(const CacheClient& client) {
  constexpr std::size_t kEnough = 32;
  return client.identity().hex().substr(0, kEnough) + ".";
}

std::vector<std::string> left_in(const std::string& folder) {
  const Result<Fd> open = sys::open(folder, O_RDONLY | O_DIRECTORY);
  auto names = open ? sys::list_dir(open->get()) : Result<std::vector<std::string>>(open.error());
  return names ? *std::move(names) : std::vector<std::string>();
}

/// Those of a token that is used no more would stay for ever.
void drop_old(const std::string& folder, const Clock& clock) {
  const Time end = clock.now() - kLongEnough;
  for (const std::string& name : left_in(folder)) {
    const std::string path = join_path(folder, name);
    const Result<struct stat> info = sys::lstat_at(AT_FDCWD, path);
    if (info && std::chrono::system_clock::from_time_t(info->st_mtim.tv_sec) < end) {
      (void)sys::unlink_at(AT_FDCWD, path);
    }
  }
}

Status leave(CacheClient& client, std::vector<solver::CacheRecord> steps,
             const std::string& folder) {
  const std::string text =
      cache_client::dump(LeftSteps{.server = client.server(), .steps = std::move(steps)});
  TRY(make_dirs(folder, 0700));
  const std::string name = prefix_of(client) + Digest::of(text).hex();
  AtomicFile file = TRY(AtomicFile::create(join_path(folder, name), 0600));
  TRY(file.write(as_bytes(text)));
  return std::move(file).commit();
}

/// What could not be published waits for a build that meets its server again.
Status leave_or_go_on(CacheClient& client, std::vector<solver::CacheRecord> left,
                      const Engine::Services& own) {
  const std::string folder = folder_of(own.root);
  if (!left.empty()) {
    TRY(leave(client, std::move(left), folder));
    return spawn_publisher(own.root);
  }
  std::vector<solver::CacheRecord> unsent = client.unsent();
  if (!unsent.empty()) {
    drop_old(folder, own.clock);
    return left_in(folder).size() < kMostLeft ? leave(client, std::move(unsent), folder) : Status();
  }
  const std::vector<std::string> names = left_in(folder);
  if (names.empty() || !client.is_in_use()) {
    return {};
  }
  const std::string prefix = prefix_of(client);
  const bool has_ours = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name.starts_with(prefix);
  });
  return has_ours ? spawn_publisher(own.root) : Status();
}

CacheClient::Deps deps_of(Engine::Services& own, solver::EventSink& events, Cancel& cancel) {
  return {.transport = *own.transport,
          .hosts = *own.hosts,
          .logins = own.credentials.get(),
          .lanes = own.lanes,
          .events = events,
          .cancel = cancel,
          .content = *own.content,
          .layers = *own.layers,
          .clock = own.clock};
}

Status publish(const std::string& path, Engine::Services& own, solver::EventSink& events,
               Cancel& cancel) {
  const std::string text = TRY(read_note(path));
  const LeftSteps left = TRY(cache_client::parse_left_steps(text));
  auto settings = TRY(cache_client::find_settings(
      {.url = left.server, .flush = cache_client::Flush{.time = kBackground, .is_asked = true}},
      cache_client::SettingPlaces::from_environment()));
  if (!settings) {
    return {};
  }
  const auto client = TRY(CacheClient::start(*std::move(settings), deps_of(own, events, cancel)));
  if (!base_name(path).starts_with(prefix_of(*client))) {
    return {};  // somebody else's, who may have another token
  }
  for (const solver::CacheRecord& step : left.steps) {
    client->on_record(step);
  }
  (void)client->finish();
  // The next build that meets the server tries again.
  return client->is_in_use() ? sys::unlink_at(AT_FDCWD, path) : Status();
}

}  // namespace

Result<std::unique_ptr<CacheClient>> start_cache_client(Engine::Services& own,
                                                        const BuildRequest& request,
                                                        const secrets::KnownValues& known,
                                                        solver::EventSink& events, Cancel& cancel) {
  const auto warn = [&events](std::string message) {
    events.on_event(solver::Warning{.message = std::move(message), .detail = {}, .location = {}});
  };
  auto settings = TRY(cache_client::find_settings(
      request.cache_server, cache_client::SettingPlaces::from_environment(), warn));
  if (!settings) {
    return std::unique_ptr<CacheClient>();
  }
  const std::string address = settings->address.text;
  CacheClient::Deps deps = deps_of(own, events, cancel);
  if (request.secrets != nullptr) {
    deps.has_secret = [&own, &known, &cancel, secrets = request.secrets](const Digest& diff_id) {
      return has_secret(diff_id, *own.layers, *secrets, known, cancel);
    };
    deps.masked = [&known](std::string name) { return known.masked(std::move(name)); };
  }
  auto client = CacheClient::start(*std::move(settings), deps);
  if (!client) {
    const std::string& hint = client.error().hint();
    warn(fmt::format("the build goes on without the cache server {}: {}{}", address,
                     client.error().message(), hint.empty() ? "" : "; " + hint));
    return std::unique_ptr<CacheClient>();
  }
  return client;
}

void finish_cache_client(CacheClient* client, const Engine::Services& own,
                         solver::EventSink& events) {
  if (client == nullptr) {
    return;
  }
  std::vector<solver::CacheRecord> left = client->finish();
  if (const Status given = leave_or_go_on(*client, std::move(left), own); !given) {
    events.on_event(solver::Warning{
        .message = "steps cannot be published in the background: " + given.error().message(),
        .detail = given.error().hint(),
        .location = {}});
  }
}

Status Engine::publish_left(solver::EventSink& events, Cancel& cancel) {
  const std::string folder = folder_of(services_->root);
  for (const std::string& name : left_in(folder)) {
    TRY(cancel.check());
    // Another process may have taken it.
    const std::string path = join_path(folder, name);
    if (const Status done = publish(path, *services_, events, cancel); !done) {
      log::debug("{}: {}", name, done.error().message());
      if (done.error().kind() != ErrorKind::Cancelled) {
        (void)sys::unlink_at(AT_FDCWD, path);
      }
    }
  }
  return {};
}

}  // namespace mybuild::builder

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

/// Names of files say whom they are for.
std::string prefix_of(const std::string& server) {
  constexpr std::size_t kEnough = 16;
  return Digest::of(server).hex().substr(0, kEnough) + ".";
}

/// How many builds have left something for the server.
std::size_t count_left(const std::string& root, const std::string& server) {
  const Result<Fd> folder = sys::open(folder_of(root), O_RDONLY | O_DIRECTORY);
  const auto names =
      folder ? sys::list_dir(folder->get()) : Result<std::vector<std::string>>(folder.error());
  if (!names) {
    return 0;
  }
  const std::string prefix = prefix_of(server);
  return static_cast<std::size_t>(
      std::count_if(names->begin(), names->end(),
                    [&](const std::string& name) { return name.starts_with(prefix); }));
}

Status leave(const std::string& server, std::vector<solver::CacheRecord> steps,
             const std::string& root) {
  const std::string text =
      cache_client::dump(LeftSteps{.server = server, .steps = std::move(steps)});
  const std::string folder = folder_of(root);
  TRY(make_dirs(folder, 0700));
  AtomicFile file =
      TRY(AtomicFile::create(join_path(folder, prefix_of(server) + Digest::of(text).hex()), 0600));
  TRY(file.write(as_bytes(text)));
  return std::move(file).commit();
}

/// What could not be published waits for a build that meets its server again.
Status leave_or_go_on(CacheClient& client, std::vector<solver::CacheRecord> left,
                      const std::string& root) {
  if (!left.empty()) {
    TRY(leave(client.server(), std::move(left), root));
    return spawn_publisher(root);
  }
  const std::size_t count = count_left(root, client.server());
  std::vector<solver::CacheRecord> unsent = client.unsent();
  if (!unsent.empty()) {
    return count < kMostLeft ? leave(client.server(), std::move(unsent), root) : Status();
  }
  return count > 0 && client.is_in_use() ? spawn_publisher(root) : Status();
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
  if (const Status given = leave_or_go_on(*client, std::move(left), own.root); !given) {
    events.on_event(solver::Warning{
        .message = "steps cannot be published in the background: " + given.error().message(),
        .detail = given.error().hint(),
        .location = {}});
  }
}

Status Engine::publish_left(solver::EventSink& events, Cancel& cancel) {
  const std::string folder = folder_of(services_->root);
  const Result<Fd> open = sys::open(folder, O_RDONLY | O_DIRECTORY);
  if (!open) {
    return {};  // no build has left anything
  }
  for (const std::string& name : TRY(sys::list_dir(open->get()))) {
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

// SPDX-License-Identifier: Apache-2.0
// The lines of key_schema.md about operations. Each struct is taken apart by a structured binding:
// a new field does not compile until it has a name here, and then wants a line.
#include "builder/ops/exec_op.h"
#include "tests/keys/lines.h"

namespace mybuild::keys {
namespace {

using namespace solver;

/// Lines about a value that stands somewhere in an op.
template <class T>
LinesOf<T> in_op(std::string kind, T value, std::function<OpSpec(const T&)> op) {
  return LinesOf<T>(std::move(kind), std::move(value),
                    [op = std::move(op)](const T& edited) { return key_of(op(edited)); });
}

template <class Kind>
LinesOf<Kind> mounted(std::string kind) {
  return in_op<Kind>(std::move(kind), Kind{}, [](const Kind& mount) {
    ExecOp op;
    op.mounts = {{.target = "/m", .input = {}, .kind = mount}};
    return op;
  });
}

template <class Action>
LinesOf<Action> acting(std::string kind) {
  return in_op<Action>(std::move(kind), Action{}, [](const Action& action) {
    return FileOp{true, {action}};
  });
}

template <class Source>
LinesOf<Source> sourced(std::string kind) {
  return in_op<Source>(std::move(kind), Source{},
                       [](const Source& source) { return SourceOp(source); });
}

Lines command_lines() {
  [[maybe_unused]] const auto& [has_root, args, env, cwd, user, hostname, network, security,
                                extra_hosts, shm_size, ulimits, mounts, devices, proxy_env] =
      ExecOp{};
  return in_op<ExecOp>("command", ExecOp{}, [](const ExecOp& op) { return op; })
      .in("has_root", [](ExecOp& op) { op.has_root = false; })
      .in("args", [](ExecOp& op) { op.args = {"make"}; })
      .in("env", [](ExecOp& op) { op.env = {"NOBODY=READS_IT"}; })
      .in("cwd", [](ExecOp& op) { op.cwd = "/w"; })
      .in("user", [](ExecOp& op) { op.user = "nobody"; })
      .in("hostname", [](ExecOp& op) { op.hostname = "h"; })
      .in("network", [](ExecOp& op) { op.network = NetworkMode::None; })
      .in("security", [](ExecOp& op) { op.security = SecurityMode::Insecure; })
      .in("extra_hosts", [](ExecOp& op) { op.extra_hosts = {"a=1.2.3.4"}; })
      .in("shm_size", [](ExecOp& op) { op.shm_size = 1; })
      .in("ulimits",
          [](ExecOp& op) {
            op.ulimits = {{"nofile", 1, 2}};
          })
      .in("mounts", [](ExecOp& op) { op.mounts = {{}}; })
      .in("devices", [](ExecOp& op) { op.devices = {{}}; })
      .not_in("proxy_env", [](ExecOp& op) { op.proxy_env = {"HTTP_PROXY=x"}; })
      .lines();
}

Lines ulimit_lines() {
  [[maybe_unused]] const auto& [name, soft, hard] = Ulimit{};
  return in_op<Ulimit>("ulimit", Ulimit{},
                       [](const Ulimit& limit) {
                         ExecOp op;
                         op.ulimits = {limit};
                         return op;
                       })
      .in("name", [](Ulimit& limit) { limit.name = "core"; })
      .in("soft", [](Ulimit& limit) { limit.soft = 1; })
      .in("hard", [](Ulimit& limit) { limit.hard = -1; })
      .lines();
}

Lines device_lines() {
  [[maybe_unused]] const auto& [name, required] = CdiDevice{};
  return in_op<CdiDevice>("device", CdiDevice{},
                          [](const CdiDevice& device) {
                            ExecOp op;
                            op.devices = {device};
                            return op;
                          })
      .in("name", [](CdiDevice& device) { device.name = "vendor.com/gpu"; })
      .in("required", [](CdiDevice& device) { device.required = true; })
      .lines();
}

Lines mount_lines() {
  [[maybe_unused]] const auto& [target, input, kind] = ExecMount{};
  return in_op<ExecMount>("mount", ExecMount{},
                          [](const ExecMount& mount) {
                            ExecOp op;
                            op.mounts = {mount};
                            return op;
                          })
      .in("target", [](ExecMount& mount) { mount.target = "/m"; })
      .in("input", [](ExecMount& mount) { mount.input = 0; })
      .in("kind", [](ExecMount& mount) { mount.kind = TmpfsMount{}; })
      .lines();
}

Lines bind_lines() {
  [[maybe_unused]] const auto& [source, writable] = BindMount{};
  return mounted<BindMount>("bind")
      .in("source", [](BindMount& mount) { mount.source = "/s"; })
      .in("writable", [](BindMount& mount) { mount.writable = true; })
      .lines();
}

Lines cache_lines() {
  [[maybe_unused]] const auto& [id, sharing, source, read_only, mode, uid, gid] = CacheMount{};
  return mounted<CacheMount>("cache")
      .in("id", [](CacheMount& mount) { mount.id = "x"; })
      .in("sharing", [](CacheMount& mount) { mount.sharing = CacheSharing::Locked; })
      .in("source", [](CacheMount& mount) { mount.source = "/s"; })
      .in("read_only", [](CacheMount& mount) { mount.read_only = true; })
      .in("mode", [](CacheMount& mount) { mount.mode = 0700; })
      .in("uid", [](CacheMount& mount) { mount.uid = 1; })
      .in("gid", [](CacheMount& mount) { mount.gid = 1; })
      .lines();
}

Lines tmpfs_lines() {
  [[maybe_unused]] const auto& [size] = TmpfsMount{};
  return mounted<TmpfsMount>("tmpfs").in("size", [](TmpfsMount& mount) { mount.size = 1; }).lines();
}

Lines secret_lines() {
  [[maybe_unused]] const auto& [id, env, required, mode, uid, gid] = SecretMount{};
  return mounted<SecretMount>("secret")
      .in("id", [](SecretMount& mount) { mount.id = "x"; })
      .in("env", [](SecretMount& mount) { mount.env = ""; })
      .in("required", [](SecretMount& mount) { mount.required = true; })
      .in("mode", [](SecretMount& mount) { mount.mode = 0444; })
      .in("uid", [](SecretMount& mount) { mount.uid = 1; })
      .in("gid", [](SecretMount& mount) { mount.gid = 1; })
      .lines();
}

Lines ssh_lines() {
  [[maybe_unused]] const auto& [id, required, mode, uid, gid] = SshMount{};
  return mounted<SshMount>("ssh")
      .in("id", [](SshMount& mount) { mount.id = "x"; })
      .in("required", [](SshMount& mount) { mount.required = true; })
      .in("mode", [](SshMount& mount) { mount.mode = 0666; })
      .in("uid", [](SshMount& mount) { mount.uid = 1; })
      .in("gid", [](SshMount& mount) { mount.gid = 1; })
      .lines();
}

Lines file_op_lines() {
  [[maybe_unused]] const auto& [has_base, actions] = FileOp{};
  return in_op<FileOp>("files", FileOp{}, [](const FileOp& op) { return op; })
      .in("has_base", [](FileOp& op) { op.has_base = false; })
      .in("actions", [](FileOp& op) { op.actions = {MakeDirAction{}}; })
      .lines();
}

Lines copy_lines() {
  [[maybe_unused]] const auto& [input, sources, dest, owner, mode, excludes, parents, unpack] =
      CopyAction{};
  return acting<CopyAction>("copy")
      .in("input", [](CopyAction& copy) { copy.input = 1; })
      .in("sources", [](CopyAction& copy) { copy.sources = {"/s"}; })
      .in("dest", [](CopyAction& copy) { copy.dest = "/d/"; })
      .in("owner", [](CopyAction& copy) { copy.owner = Owner{"1:2"}; })
      .in("mode", [](CopyAction& copy) { copy.mode = "u+x"; })
      .in("excludes", [](CopyAction& copy) { copy.excludes = {"*.md"}; })
      .in("parents", [](CopyAction& copy) { copy.parents = true; })
      .in("unpack", [](CopyAction& copy) { copy.unpack = true; })
      .lines();
}

Lines make_file_lines() {
  [[maybe_unused]] const auto& [path, content, mode] = MakeFileAction{};
  return acting<MakeFileAction>("file")
      .in("path", [](MakeFileAction& file) { file.path = "/f"; })
      .in("content", [](MakeFileAction& file) { file.content = "text"; })
      .in("mode", [](MakeFileAction& file) { file.mode = 0755; })
      .lines();
}

Lines make_dir_lines() {
  [[maybe_unused]] const auto& [path, mode, owner] = MakeDirAction{};
  return acting<MakeDirAction>("directory")
      .in("path", [](MakeDirAction& dir) { dir.path = "/d"; })
      .in("mode", [](MakeDirAction& dir) { dir.mode = 0700; })
      .in("owner", [](MakeDirAction& dir) { dir.owner = Owner{""}; })
      .lines();
}

Lines image_lines() {
  [[maybe_unused]] const auto& [reference, manifest, chain] = ImageSource{};
  return sourced<ImageSource>("image")
      .in("reference", [](ImageSource& image) { image.reference = "r"; })
      .in("manifest", [](ImageSource& image) { image.manifest = Digest::of("m"); })
      .in("chain", [](ImageSource& image) { image.chain = Digest::of("c"); })
      .lines();
}

Lines local_lines() {
  [[maybe_unused]] const auto& [name] = LocalSource{};
  return sourced<LocalSource>("local").in("name", [](LocalSource& s) { s.name = "n"; }).lines();
}

Lines http_lines() {
  [[maybe_unused]] const auto& [url, filename, checksum] = HttpSource{};
  return sourced<HttpSource>("http")
      .in("url", [](HttpSource& source) { source.url = "http://a/b"; })
      .in("filename", [](HttpSource& source) { source.filename = "b"; })
      .in("checksum", [](HttpSource& source) { source.checksum = Digest{}; })
      .lines();
}

Lines git_lines() {
  [[maybe_unused]] const auto& [remote, ref, subdir, checksum, keep_git_dir, submodules] =
      GitSource{};
  return sourced<GitSource>("git")
      .in("remote", [](GitSource& source) { source.remote = "r"; })
      .in("ref", [](GitSource& source) { source.ref = "main"; })
      .in("subdir", [](GitSource& source) { source.subdir = "s"; })
      .in("checksum", [](GitSource& source) { source.checksum = "ab"; })
      .in("keep_git_dir", [](GitSource& source) { source.keep_git_dir = true; })
      .in("submodules", [](GitSource& source) { source.submodules = false; })
      .lines();
}

Digest step_key(const Vertex& vertex) {
  return definition_key(ops::exec_definition(vertex), {}).digest;
}

/// What a command's definition holds beside the op.
Lines step_lines() {
  [[maybe_unused]] const auto& [id, op, inputs, platform, meta] = Vertex{};
  [[maybe_unused]] const auto& [name, location, ignore_cache] = VertexMeta{};
  const Vertex run{.id = {}, .op = ExecOp{}, .inputs = {}, .platform = {}, .meta = {}};
  Lines lines = LinesOf<Vertex>("step", run, step_key)
                    .in("op", [](Vertex& step) { step.op = FileOp{}; })
                    .in("platform", [](Vertex& step) { step.platform.architecture = "arm64"; })
                    .not_in("name", [](Vertex& step) { step.meta.name = "[2/3] RUN make"; })
                    .not_in("location", [](Vertex& step) { step.meta.location.emplace(); })
                    .not_in("ignore_cache", [](Vertex& step) { step.meta.ignore_cache = true; })
                    .not_in("id", [](Vertex& step) { step.id.digest = Digest::of("x"); })
                    .lines();
  std::string elsewhere = ops::exec_definition(run);
  const std::string isolation = "isolation root";
  elsewhere.replace(elsewhere.find(isolation), isolation.size(), "isolation ids65536");
  lines.push_back({"step.isolation", true, step_key(run), definition_key(elsewhere, {}).digest});
  return lines;
}

}  // namespace

std::vector<Lines> op_lines() {
  return {command_lines(), ulimit_lines(),    device_lines(),   mount_lines(), bind_lines(),
          cache_lines(),   tmpfs_lines(),     secret_lines(),   ssh_lines(),   file_op_lines(),
          copy_lines(),    make_file_lines(), make_dir_lines(), image_lines(), local_lines(),
          http_lines(),    git_lines(),       step_lines()};
}

}  // namespace mybuild::keys

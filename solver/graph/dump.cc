// SPDX-License-Identifier: Apache-2.0
#include "snapshotter/base/json.h"
#include "solver/graph/graph.h"

#include <fmt/format.h>

#include <array>

namespace mybuild::solver {

namespace {

// Fields with their ordinary value are left out, so that a dump shows what is special about a step.
using Ordered = nlohmann::ordered_json;

template <class T>
void put(Ordered& json, const char* name, const T& value, const T& ordinary = T{}) {
  if (value != ordinary) {
    json[name] = value;
  }
}

std::string octal(std::uint32_t mode) {
  return fmt::format("{:04o}", mode);
}

void put_owner(Ordered& json, const std::optional<Owner>& owner) {
  if (owner) {
    json["owner"] = owner->text;
  }
}

void put_ids(Ordered& json, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid) {
  json["mode"] = octal(mode);
  put(json, "uid", uid);
  put(json, "gid", gid);
}

struct MountDump {
  Ordered& json;

  void operator()(const BindMount& mount) const {
    json["type"] = "bind";
    put(json, "source", mount.source, std::string("/"));
    put(json, "writable", mount.writable);
  }
  void operator()(const CacheMount& mount) const {
    static constexpr std::array kSharing{"shared", "private", "locked"};
    json["type"] = "cache";
    json["id"] = mount.id;
    json["sharing"] = kSharing[static_cast<std::size_t>(mount.sharing)];
    put(json, "source", mount.source, std::string("/"));
    put(json, "readOnly", mount.read_only);
    put_ids(json, mount.mode, mount.uid, mount.gid);
  }
  void operator()(const TmpfsMount& mount) const {
    json["type"] = "tmpfs";
    put(json, "size", mount.size);
  }
  void operator()(const SecretMount& mount) const {
    json["type"] = "secret";
    json["id"] = mount.id;
    if (mount.env) {
      json["env"] = *mount.env;
    }
    put(json, "required", mount.required);
    put_ids(json, mount.mode, mount.uid, mount.gid);
  }
  void operator()(const SshMount& mount) const {
    json["type"] = "ssh";
    json["id"] = mount.id;
    put(json, "required", mount.required);
    put_ids(json, mount.mode, mount.uid, mount.gid);
  }
};

Ordered dump_mount(const ExecMount& mount) {
  Ordered json;
  put(json, "target", mount.target);
  if (mount.input) {
    json["input"] = *mount.input;
  }
  std::visit(MountDump{json}, mount.kind);
  return json;
}

struct ActionDump {
  Ordered& json;

  void operator()(const CopyAction& action) const {
    json["action"] = "copy";
    json["input"] = action.input;
    json["sources"] = action.sources;
    json["dest"] = action.dest;
    put_owner(json, action.owner);
    if (action.mode) {
      json["mode"] = *action.mode;
    }
    put(json, "excludes", action.excludes);
    put(json, "parents", action.parents);
    put(json, "unpack", action.unpack);
  }
  void operator()(const MakeFileAction& action) const {
    json["action"] = "mkfile";
    json["path"] = action.path;
    json["mode"] = octal(action.mode);
    json["content"] = action.content;
  }
  void operator()(const MakeDirAction& action) const {
    json["action"] = "mkdir";
    json["path"] = action.path;
    json["mode"] = octal(action.mode);
    put_owner(json, action.owner);
  }
};

struct OpDump {
  Ordered& json;

  void operator()(const SourceOp& source) const { std::visit(*this, source); }
  void operator()(const ImageSource& image) const {
    json["op"] = "image";
    json["reference"] = image.reference;
    json["manifest"] = image.manifest.str();
    json["chain"] = image.chain.str();
  }
  void operator()(const LocalSource& local) const {
    json["op"] = "local";
    json["local"] = local.name;
  }
  void operator()(const HttpSource& http) const {
    json["op"] = "http";
    json["url"] = http.url;
    json["filename"] = http.filename;
    if (http.checksum) {
      json["checksum"] = http.checksum->str();
    }
  }
  void operator()(const GitSource& git) const {
    json["op"] = "git";
    json["remote"] = git.remote;
    put(json, "ref", git.ref, std::string());
    put(json, "subdir", git.subdir, std::string());
    put(json, "checksum", git.checksum, std::string());
    put(json, "keep_git_dir", git.keep_git_dir, false);
    put(json, "submodules", git.submodules, true);
  }
  void operator()(const ExecOp& op) const {
    static constexpr std::array kNetwork{"default", "none", "host"};
    json["op"] = "exec";
    put(json, "root", op.has_root, true);
    json["args"] = op.args;
    json["env"] = op.env;
    json["cwd"] = op.cwd;
    put(json, "user", op.user);
    put(json, "hostname", op.hostname);
    put(json, "network", std::string(kNetwork[static_cast<std::size_t>(op.network)]),
        std::string("default"));
    put(json, "insecure", op.security == SecurityMode::Insecure);
    put(json, "extraHosts", op.extra_hosts);
    put(json, "shmSize", op.shm_size);
    for (const Ulimit& limit : op.ulimits) {
      json["ulimits"].push_back(fmt::format("{}={}:{}", limit.name, limit.soft, limit.hard));
    }
    for (const ExecMount& mount : op.mounts) {
      json["mounts"].push_back(dump_mount(mount));
    }
    for (const CdiDevice& device : op.devices) {
      json["devices"].push_back(device.name + (device.required ? " (required)" : ""));
    }
    put(json, "proxyEnv", op.proxy_env);
  }
  void operator()(const FileOp& op) const {
    json["op"] = "file";
    put(json, "base", op.has_base, true);
    json["actions"] = Ordered::array();
    for (const FileAction& action : op.actions) {
      Ordered item;
      std::visit(ActionDump{item}, action);
      json["actions"].push_back(std::move(item));
    }
  }
  void operator()(const MergeOp&) const { json["op"] = "merge"; }
};

Ordered dump_vertex(const Vertex& vertex) {
  Ordered json;
  put(json, "name", vertex.meta.name);
  if (vertex.meta.location) {
    json["lines"] = {vertex.meta.location->first_line, vertex.meta.location->last_line};
  }
  put(json, "ignoreCache", vertex.meta.ignore_cache);
  json["platform"] = oci::to_string(vertex.platform);
  json["inputs"] = Ordered::array();
  for (const Edge input : vertex.inputs) {
    json["inputs"].push_back(input.vertex);
  }
  std::visit(OpDump{json}, vertex.op);
  return json;
}

}  // namespace

std::string dump_json(const Graph& graph) {
  Ordered list = Ordered::array();
  for (const Vertex& vertex : graph.vertices()) {
    list.push_back(dump_vertex(vertex));
  }
  return list.dump(2, ' ', false, Ordered::error_handler_t::replace) + "\n";
}

}  // namespace mybuild::solver

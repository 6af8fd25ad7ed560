// SPDX-License-Identifier: Apache-2.0
// What a vertex does, as plain data shaped like BuildKit's LLB messages: a source, a command in a
// sandbox, file operations, or layers put together. An input is named by its index in the vertex's input list. Value
// types, comparable.
#pragma once

#include "snapshotter/base/digest.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mybuild::solver {

/// An image, already resolved for the vertex's platform. Its identity is the chain of its layers.
struct ImageSource {
  std::string reference;  // as the Dockerfile says it, for people
  Digest manifest;        // names the resolved image to the engine (ImageMeta::id)
  Digest chain;           // ChainID of all its layers
  bool operator==(const ImageSource&) const = default;
};

/// A directory of the client: "context" or a named context.
struct LocalSource {
  std::string name;
  bool operator==(const LocalSource&) const = default;
};

/// What a URL leads to, as a directory with this one file in it.
struct HttpSource {
  std::string url;                 // http or https
  std::string filename;            // of the file in the directory
  std::optional<Digest> checksum;  // what the bytes must be
  bool operator==(const HttpSource&) const = default;
};

/// The files of a commit.
struct GitSource {
  std::string remote;         // http, https, ssh, git or file URL, or user@host:path
  std::string ref;            // branch, tag, full name or commit; "" = the remote's HEAD
  std::string subdir;         // clean and relative; "" = all
  std::string checksum;       // the commit that `ref` must be, or how it begins; "" = any
  bool keep_git_dir = false;  // with a .git that has this one commit
  bool submodules = true;
  bool operator==(const GitSource&) const = default;
};

using SourceOp = std::variant<ImageSource, LocalSource, HttpSource, GitSource>;  // append only

enum class NetworkMode : std::uint8_t { Default, None, Host };  // values enter keys; append only
enum class SecurityMode : std::uint8_t { Sandbox, Insecure };
enum class CacheSharing : std::uint8_t { Shared, Private, Locked };

struct BindMount {
  std::string source = "/";  // path inside the input
  bool writable = false;     // writes are thrown away
  bool operator==(const BindMount&) const = default;
};
struct CacheMount {
  std::string id;
  CacheSharing sharing = CacheSharing::Shared;
  std::string source = "/";  // inside the input it starts from, if it has one
  bool read_only = false;
  std::uint32_t mode = 0755;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const CacheMount&) const = default;
};
struct TmpfsMount {
  std::uint64_t size = 0;  // bytes; 0 = the kernel's default
  bool operator==(const TmpfsMount&) const = default;
};
struct SecretMount {
  std::string id;
  std::optional<std::string> env;  // also or only as this variable
  bool required = false;
  std::uint32_t mode = 0400;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const SecretMount&) const = default;
};
struct SshMount {
  std::string id;
  bool required = false;
  std::uint32_t mode = 0600;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const SshMount&) const = default;
};

struct ExecMount {
  std::string target;                  // absolute; empty for a secret that is only a variable
  std::optional<std::uint32_t> input;  // Bind, Cache: the tree it shows or starts from
  std::variant<BindMount, CacheMount, TmpfsMount, SecretMount, SshMount> kind;
  bool operator==(const ExecMount&) const = default;
};

/// By its CDI name: "vendor.com/class=name", "vendor.com/class" or an alias that --allow explains.
/// What it is on this machine is no part of the step.
struct CdiDevice {
  std::string name;
  bool required = false;  // else it may be missing
  bool operator==(const CdiDevice&) const = default;
};

struct Ulimit {
  std::string name;
  std::int64_t soft = 0;
  std::int64_t hard = 0;
  bool operator==(const Ulimit&) const = default;
};

/// A command in a sandbox. Input 0, if there is one, is the root file system (none: an empty one);
/// output 0 is the root file system afterwards.
struct ExecOp {
  bool has_root = true;  // false: FROM scratch, input 0 is not the root
  std::vector<std::string> args;
  std::vector<std::string> env;  // "K=V" in order
  std::string cwd = "/";
  std::string user;
  std::string hostname;
  NetworkMode network = NetworkMode::Default;
  SecurityMode security = SecurityMode::Sandbox;
  std::vector<std::string> extra_hosts;  // "name=address"
  std::uint64_t shm_size = 0;            // bytes; 0 = 64 MiB
  std::vector<Ulimit> ulimits;
  std::vector<ExecMount> mounts;
  std::vector<CdiDevice> devices;
  std::vector<std::string> proxy_env;  // given to the process, in no key
  bool operator==(const ExecOp&) const = default;
};

/// "user", "user:group", ids or names; the engine resolves names in the base tree.
struct Owner {
  std::string text;
  bool operator==(const Owner&) const = default;
};

struct CopyAction {
  std::uint32_t input = 0;            // where from
  std::vector<std::string> sources;   // paths in it, wildcards allowed as `allow_wildcards` says
  std::string dest;                   // absolute; a trailing slash means "into this directory"
  std::optional<Owner> owner;         // --chown; nullopt keeps the source's
  std::optional<std::string> mode;    // --chmod, octal or symbolic
  std::vector<std::string> excludes;  // --exclude
  bool parents = false;               // --parents
  bool unpack = false;                // local archives are unpacked (ADD)
  bool operator==(const CopyAction&) const = default;
};
struct MakeFileAction {
  std::string path;
  std::string content;
  std::uint32_t mode = 0644;
  bool operator==(const MakeFileAction&) const = default;
};
struct MakeDirAction {  // with all missing parents; an existing directory stays as it is
  std::string path;
  std::uint32_t mode = 0755;
  std::optional<Owner> owner;
  bool operator==(const MakeDirAction&) const = default;
};
using FileAction = std::variant<CopyAction, MakeFileAction, MakeDirAction>;

/// File changes, all actions in order making one layer on input 0 (or on nothing).
struct FileOp {
  bool has_base = true;  // false: starts from an empty tree; input numbers of copies are unaffected
  std::vector<FileAction> actions;
  bool operator==(const FileOp&) const = default;
};

/// Trees on top of one another: the layers of all inputs, those of input 0 lowest. All other inputs
/// start from nothing (a FileOp without a base), so their layers fit on any base.
struct MergeOp {
  bool operator==(const MergeOp&) const = default;
};

using OpSpec = std::variant<SourceOp, ExecOp, FileOp, MergeOp>;

/// Canonical bytes of an op: equal ops give equal bytes, ops that differ in any field other bytes.
/// Framed and versioned.
std::string encode(const OpSpec& op);

}  // namespace mybuild::solver

// SPDX-License-Identifier: Apache-2.0
#include "solver/graph/op_spec.h"

#include <type_traits>

namespace mybuild::solver {

namespace {

constexpr std::string_view kVersion = "mybuild.op.v2";

/// Every field goes in with its length, every list with its count, every choice with its number, so
/// that no two different ops run together into the same bytes. The order of the put() overloads'
/// fields is part of the format: append only.
class Encoder {
 public:
  void put(std::string_view text) {
    put_number(text.size());
    out_ += text;
  }
  void put(const std::string& text) { put(std::string_view(text)); }
  void put(bool value) { out_ += value ? '\1' : '\0'; }
  void put(std::uint32_t value) { put_number(value); }
  void put(std::uint64_t value) { put_number(value); }
  void put(std::int64_t value) { put_number(static_cast<std::uint64_t>(value)); }
  void put(const Digest& digest) { out_.append(as_text(ByteSpan(digest.bytes))); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void put(Enum value) { put_number(static_cast<std::uint64_t>(value)); }
  template <class T>
  void put(const std::vector<T>& items) {
    put_number(items.size());
    for (const T& item : items) {
      put(item);
    }
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) {
      put(*value);
    }
  }
  template <class... Ts>
  void put(const std::variant<Ts...>& value) {
    put_number(value.index());
    std::visit([this](const auto& alternative) { put(alternative); }, value);
  }

  void put(const ImageSource& op) { all(op.reference, op.manifest, op.chain); }
  void put(const LocalSource& op) { put(op.name); }
  void put(const HttpSource& op) { all(op.url, op.filename, op.checksum); }
  void put(const GitSource& op) {
    all(op.remote, op.ref, op.subdir, op.checksum, op.keep_git_dir, op.submodules);
  }
  void put(const BindMount& m) { all(m.source, m.writable); }
  void put(const CacheMount& m) {
    all(m.id, m.sharing, m.source, m.read_only, m.mode, m.uid, m.gid);
  }
  void put(const TmpfsMount& m) { put(m.size); }
  void put(const SecretMount& m) { all(m.id, m.env, m.required, m.mode, m.uid, m.gid); }
  void put(const SshMount& m) { all(m.id, m.required, m.mode, m.uid, m.gid); }
  void put(const ExecMount& m) { all(m.target, m.input, m.kind); }
  void put(const CdiDevice& device) { all(device.name, device.required); }
  void put(const Ulimit& limit) { all(limit.name, limit.soft, limit.hard); }
  void put(const ExecOp& op) {
    // proxy_env is missing on purpose: it must not change what a step is.
    all(op.has_root, op.args, op.env, op.cwd, op.user, op.hostname, op.network, op.security,
        op.extra_hosts, op.shm_size, op.ulimits, op.mounts, op.devices);
  }
  void put(const Owner& owner) { put(owner.text); }
  void put(const CopyAction& a) {
    all(a.input, a.sources, a.dest, a.owner, a.mode, a.excludes, a.parents, a.unpack);
  }
  void put(const MakeFileAction& a) { all(a.path, a.content, a.mode); }
  void put(const MakeDirAction& a) { all(a.path, a.mode, a.owner); }
  void put(const FileOp& op) { all(op.has_base, op.actions); }
  void put(const MergeOp&) {}

  std::string take() { return std::move(out_); }

 private:
  template <class... Fields>
  void all(const Fields&... fields) {
    (put(fields), ...);
  }
  /// LEB128: seven bits a byte, the lowest first.
  void put_number(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }

  std::string out_;
};

}  // namespace

std::string encode(const OpSpec& op) {
  Encoder encoder;
  encoder.put(kVersion);
  encoder.put(op);
  return encoder.take();
}

}  // namespace mybuild::solver

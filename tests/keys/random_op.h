// SPDX-License-Identifier: Apache-2.0
// Ops made at random out of few values, so that many are nearly equal. The walk over an op's fields
// takes each struct apart by a structured binding: a new field does not compile until it is walked.
#pragma once

#include "solver/graph/op_spec.h"

#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace mybuild::keys {

class RandomOps {
 public:
  explicit RandomOps(std::uint32_t seed) : random_(seed) {}

  solver::OpSpec next() {
    solver::OpSpec op;
    only_.reset();
    visit(op);
    return op;
  }
  /// One field of the op, or one item more or less in a list, is drawn again; it may stay the same.
  void redraw_one(solver::OpSpec& op) {
    const int fields = count(op);
    only_ = fields == 0 ? 0 : pick(fields);
    at_ = 0;
    visit(op);
  }
  /// All texts of the op, in the order in which they are encoded.
  std::vector<std::string*> texts(solver::OpSpec& op) {
    texts_.clear();
    count(op);
    return texts_;
  }
  int pick(int below) { return std::uniform_int_distribution(0, below - 1)(random_); }

 private:
  /// Visits without a change: the number of fields.
  int count(solver::OpSpec& op) {
    texts_.clear();
    only_ = -1;
    at_ = 0;
    visit(op);
    return at_;
  }
  bool drawn() { return !only_ || at_++ == *only_; }

  void visit(std::string& text) {
    static const char* const kTexts[] = {"", "a", "b", "ab", "a=b", "aa", "\1"};
    texts_.push_back(&text);
    if (drawn()) {
      text = kTexts[pick(std::size(kTexts))];
    }
  }
  template <class Number>
  requires std::is_integral_v<Number>
  void visit(Number& number) {
    static constexpr std::int64_t kNumbers[] = {0, 1, 2, 97, 128, 256, -1};
    if (drawn()) {
      number = static_cast<Number>(kNumbers[pick(std::size(kNumbers))]);
    }
  }
  void visit(bool& flag) {
    if (drawn()) {
      flag = pick(2) == 1;
    }
  }
  void visit(Digest& digest) {
    if (drawn()) {
      digest = Digest::of(std::string(static_cast<std::size_t>(pick(3)), 'x'));
    }
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void visit(Enum& value) {
    if (drawn()) {
      value = static_cast<Enum>(pick(kChoices<Enum>));
    }
  }
  template <class T>
  void visit(std::vector<T>& items) {
    if (drawn()) {
      items.resize(static_cast<std::size_t>(pick(3)));
    }
    for (T& item : items) {
      visit(item);
    }
  }
  template <class T>
  void visit(std::optional<T>& value) {
    if (drawn()) {
      value = pick(2) == 1 ? std::optional<T>(T{}) : std::nullopt;
    }
    if (value) {
      visit(*value);
    }
  }
  template <class... Ts>
  void visit(std::variant<Ts...>& value) {
    if (drawn()) {
      static constexpr std::size_t kCount = sizeof...(Ts);
      const auto index = static_cast<std::size_t>(pick(kCount));
      std::size_t at = 0;
      ((at++ == index ? void(value.template emplace<Ts>()) : void()), ...);
    }
    std::visit([this](auto& alternative) { visit(alternative); }, value);
  }
  template <class... Fields>
  void all(Fields&... fields) {
    (visit(fields), ...);
  }

  void visit(solver::ImageSource& op) {
    auto& [reference, manifest, chain] = op;
    all(reference, manifest, chain);
  }
  void visit(solver::LocalSource& op) { visit(op.name); }
  void visit(solver::HttpSource& op) {
    auto& [url, filename, checksum] = op;
    all(url, filename, checksum);
  }
  void visit(solver::GitSource& op) {
    auto& [remote, ref, subdir, checksum, keep_git_dir, submodules] = op;
    all(remote, ref, subdir, checksum, keep_git_dir, submodules);
  }
  void visit(solver::BindMount& mount) {
    auto& [source, writable] = mount;
    all(source, writable);
  }
  void visit(solver::CacheMount& mount) {
    auto& [id, sharing, source, read_only, mode, uid, gid] = mount;
    all(id, sharing, source, read_only, mode, uid, gid);
  }
  void visit(solver::TmpfsMount& mount) { visit(mount.size); }
  void visit(solver::SecretMount& mount) {
    auto& [id, env, required, mode, uid, gid] = mount;
    all(id, env, required, mode, uid, gid);
  }
  void visit(solver::SshMount& mount) {
    auto& [id, required, mode, uid, gid] = mount;
    all(id, required, mode, uid, gid);
  }
  void visit(solver::ExecMount& mount) {
    auto& [target, input, kind] = mount;
    all(target, input, kind);
  }
  void visit(solver::CdiDevice& device) {
    auto& [name, required] = device;
    all(name, required);
  }
  void visit(solver::Ulimit& limit) {
    auto& [name, soft, hard] = limit;
    all(name, soft, hard);
  }
  void visit(solver::ExecOp& op) {  // all but what is in no key
    auto& [has_root, args, env, cwd, user, hostname, network, security, extra_hosts, shm_size,
           ulimits, mounts, devices, proxy_env] = op;
    all(has_root, args, env, cwd, user, hostname, network, security, extra_hosts, shm_size, ulimits,
        mounts, devices);
  }
  void visit(solver::Owner& owner) { visit(owner.text); }
  void visit(solver::CopyAction& action) {
    auto& [input, sources, dest, owner, mode, excludes, parents, unpack] = action;
    all(input, sources, dest, owner, mode, excludes, parents, unpack);
  }
  void visit(solver::MakeFileAction& action) {
    auto& [path, content, mode] = action;
    all(path, content, mode);
  }
  void visit(solver::MakeDirAction& action) {
    auto& [path, mode, owner] = action;
    all(path, mode, owner);
  }
  void visit(solver::FileOp& op) {
    auto& [has_base, actions] = op;
    all(has_base, actions);
  }
  void visit(solver::MergeOp&) {}

  template <class Enum>
  static constexpr int kChoices = std::is_same_v<Enum, solver::SecurityMode> ? 2 : 3;

  std::mt19937 random_;
  std::optional<int> only_;  // the field to draw; none: every one
  int at_ = 0;
  std::vector<std::string*> texts_;
};

}  // namespace mybuild::keys

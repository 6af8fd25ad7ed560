// SPDX-License-Identifier: Apache-2.0
// encode() is what keys and vertex ids are made of: every field has to change it, one field's end
// may not run into the next.
#include "solver/graph/op_spec.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

namespace mybuild::solver {
namespace {

ExecOp full_exec() {
  ExecOp op;
  op.args = {"a", "b"};
  op.env = {"K=V"};
  op.mounts = {{.target = "/c", .input = 1, .kind = CacheMount{}},
               {.target = "/s", .input = {}, .kind = SecretMount{}},
               {.target = "/h", .input = {}, .kind = SshMount{}},
               {.target = "/b", .input = 2, .kind = BindMount{}},
               {.target = "/t", .input = {}, .kind = TmpfsMount{7}}};
  std::get<SecretMount>(op.mounts[1].kind).env = "E";
  op.ulimits = {{"nofile", 1, 2}};
  return op;
}

template <class Kind>
Kind& mount(ExecOp& op, std::size_t index) {
  return std::get<Kind>(op.mounts[index].kind);
}

TEST(Encode, EveryFieldOfExecCounts) {
  const std::vector<std::function<void(ExecOp&)>> changes{
      [](ExecOp&) {},
      [](ExecOp& op) { op.has_root = false; },
      [](ExecOp& op) { op.args = {"ab"}; },
      [](ExecOp& op) {
        op.args = {"a", "b", ""};
      },
      [](ExecOp& op) { op.env.push_back(""); },
      [](ExecOp& op) { op.cwd = "/x"; },
      [](ExecOp& op) { op.user = "u"; },
      [](ExecOp& op) { op.hostname = "u"; },
      [](ExecOp& op) { op.network = NetworkMode::None; },
      [](ExecOp& op) { op.network = NetworkMode::Host; },
      [](ExecOp& op) { op.security = SecurityMode::Insecure; },
      [](ExecOp& op) { op.extra_hosts = {"a=1.2.3.4"}; },
      [](ExecOp& op) { op.shm_size = 1; },
      [](ExecOp& op) { op.shm_size = 1 << 20; },
      [](ExecOp& op) { op.ulimits[0].soft = -1; },
      [](ExecOp& op) { op.ulimits[0].hard = 3; },
      [](ExecOp& op) {
        op.devices = {{"v/c=d", false}};
      },
      [](ExecOp& op) {
        op.devices = {{"v/c=d", true}};
      },
      [](ExecOp& op) {
        op.devices = {{"v/c", false}, {"=d", false}};
      },
      [](ExecOp& op) { op.mounts.pop_back(); },
      [](ExecOp& op) { op.mounts[0].target = "/d"; },
      [](ExecOp& op) { op.mounts[0].input.reset(); },
      [](ExecOp& op) { op.mounts[0].input = 2; },
      [](ExecOp& op) { mount<CacheMount>(op, 0).id = "d"; },
      [](ExecOp& op) { mount<CacheMount>(op, 0).sharing = CacheSharing::Locked; },
      [](ExecOp& op) { mount<CacheMount>(op, 0).source = "/x"; },
      [](ExecOp& op) { mount<CacheMount>(op, 0).read_only = true; },
      [](ExecOp& op) { mount<CacheMount>(op, 0).mode = 0700; },
      [](ExecOp& op) { mount<CacheMount>(op, 0).uid = 1; },
      [](ExecOp& op) { mount<CacheMount>(op, 0).gid = 1; },
      [](ExecOp& op) { mount<SecretMount>(op, 1).id = "t"; },
      [](ExecOp& op) { mount<SecretMount>(op, 1).env.reset(); },
      [](ExecOp& op) { mount<SecretMount>(op, 1).required = true; },
      [](ExecOp& op) { mount<SshMount>(op, 2).mode = 0666; },
      [](ExecOp& op) { mount<BindMount>(op, 3).writable = true; },
      [](ExecOp& op) { mount<BindMount>(op, 3).source = "/x"; },
      [](ExecOp& op) { mount<TmpfsMount>(op, 4).size = 8; },
  };
  std::set<std::string> seen;
  for (const auto& change : changes) {
    ExecOp op = full_exec();
    change(op);
    EXPECT_TRUE(seen.insert(encode(op)).second) << "change " << seen.size();
  }
}

TEST(Encode, TheProxyIsNoPartOfAStep) {
  ExecOp op = full_exec();
  op.proxy_env = {"HTTP_PROXY=x"};
  EXPECT_EQ(encode(full_exec()), encode(op));
}

TEST(Encode, EveryFieldOfFileOpsAndSourcesCounts) {
  const auto file = [](FileAction action) { return OpSpec(FileOp{true, {std::move(action)}}); };
  const auto copy = [&](const std::function<void(CopyAction&)>& change) {
    CopyAction action;
    change(action);
    return file(action);
  };
  const std::vector<OpSpec> ops{
      FileOp{},
      FileOp{false, {}},
      MergeOp{},
      file(CopyAction()),
      copy([](CopyAction& a) { a.input = 1; }),
      copy([](CopyAction& a) {
        a.sources = {"/a", "/b"};
      }),
      copy([](CopyAction& a) { a.sources = {"/a/b"}; }),
      copy([](CopyAction& a) { a.dest = "/a/b"; }),
      copy([](CopyAction& a) { a.owner = Owner{}; }),
      copy([](CopyAction& a) { a.mode = ""; }),
      copy([](CopyAction& a) { a.excludes = {"/a/b"}; }),
      copy([](CopyAction& a) { a.parents = true; }),
      copy([](CopyAction& a) { a.unpack = true; }),
      file(MakeFileAction{"/f", "x", 0644}),
      file(MakeFileAction{"/f", "x", 0755}),
      file(MakeFileAction{"/fx", "", 0644}),
      file(MakeDirAction{"/f", 0755, {}}),
      file(MakeDirAction{"/f", 0755, Owner{"u"}}),
      SourceOp(LocalSource{"a"}),
      SourceOp(LocalSource{"b"}),
      SourceOp(ImageSource{"a", {}, {}}),
      SourceOp(ImageSource{"a", Digest::of("m"), {}}),
      SourceOp(ImageSource{"a", {}, Digest::of("m")}),
  };
  std::set<std::string> seen;
  for (const OpSpec& op : ops) {
    EXPECT_TRUE(seen.insert(encode(op)).second) << "op " << seen.size();
  }
}

TEST(Encode, IsVersionedAndStable) {
  // Persisted keys depend on these bytes: a change here needs another version.
  EXPECT_EQ(std::string("\x0dmybuild.op.v2\0\1\7context", 24),
            encode(SourceOp(LocalSource{"context"})));
}

}  // namespace
}  // namespace mybuild::solver

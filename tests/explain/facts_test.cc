// SPDX-License-Identifier: Apache-2.0
// Every field of an op that is in a step's keys is in its facts; secrets are there by id.
#include "builder/explain/observe.h"
#include "tests/explain/steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace mybuild::explain {
namespace {

using solver::ExecOp;

ExecOp exec() {
  ExecOp op;
  op.args = {"/bin/sh", "-c", "make"};
  op.env = {"PATH=/bin", "V=1"};
  op.mounts = {{.target = "/c", .input = {}, .kind = solver::CacheMount{.id = "c"}},
               {.target = "/t", .input = {}, .kind = solver::TmpfsMount{}},
               {.target = "/s", .input = {}, .kind = solver::SecretMount{.id = "s", .env = {}}},
               {.target = "/a", .input = {}, .kind = solver::SshMount{.id = "default"}},
               {.target = "/b", .input = 1, .kind = solver::BindMount{}}};
  return op;
}

TEST(OpFacts, HaveEveryFieldOfACommand) {
  const std::vector<std::function<void(ExecOp&)>> edits = {
      [](ExecOp& op) { op.args[2] = "make all"; },
      [](ExecOp& op) {
        op.args = {"/bin/sh -c", "make"};
      },
      [](ExecOp& op) { op.env[1] = "V=2"; },
      [](ExecOp& op) { op.env.push_back("W="); },
      [](ExecOp& op) { std::swap(op.env[0], op.env[1]); },
      [](ExecOp& op) { op.cwd = "/src"; },
      [](ExecOp& op) { op.user = "u"; },
      [](ExecOp& op) { op.hostname = "h"; },
      [](ExecOp& op) { op.network = solver::NetworkMode::None; },
      [](ExecOp& op) { op.security = solver::SecurityMode::Insecure; },
      [](ExecOp& op) { op.extra_hosts = {"h=1.2.3.4"}; },
      [](ExecOp& op) { op.shm_size = 5; },
      [](ExecOp& op) { op.ulimits = {{.name = "nofile", .soft = 1, .hard = 2}}; },
      [](ExecOp& op) { op.devices = {{.name = "v/c=d"}}; },
      [](ExecOp& op) { op.devices = {{.name = "v/c=d", .required = true}}; },
      [](ExecOp& op) { std::get<solver::CacheMount>(op.mounts[0].kind).id = "d"; },
      [](ExecOp& op) { std::get<solver::CacheMount>(op.mounts[0].kind).mode = 0700; },
      [](ExecOp& op) { std::get<solver::CacheMount>(op.mounts[0].kind).uid = 1; },
      [](ExecOp& op) {
        std::get<solver::CacheMount>(op.mounts[0].kind).sharing = solver::CacheSharing::Locked;
      },
      [](ExecOp& op) { std::get<solver::CacheMount>(op.mounts[0].kind).read_only = true; },
      [](ExecOp& op) { std::get<solver::TmpfsMount>(op.mounts[1].kind).size = 9; },
      [](ExecOp& op) { std::get<solver::SecretMount>(op.mounts[2].kind).env = "E"; },
      [](ExecOp& op) { std::get<solver::SecretMount>(op.mounts[2].kind).required = true; },
      [](ExecOp& op) { std::get<solver::SshMount>(op.mounts[3].kind).mode = 0; },
      [](ExecOp& op) { std::get<solver::BindMount>(op.mounts[4].kind).writable = true; },
      [](ExecOp& op) { std::get<solver::BindMount>(op.mounts[4].kind).source = "/x"; },
      [](ExecOp& op) { op.mounts[1].target = "/u"; },
      [](ExecOp& op) { std::swap(op.mounts[0], op.mounts[1]); },
  };
  const auto before = op_facts(exec(), {});
  for (std::size_t i = 0; i < edits.size(); ++i) {
    ExecOp op = exec();
    edits[i](op);
    EXPECT_NE(op_facts(op, {}), before) << "edit " << i;
  }
}

TEST(OpFacts, HaveEveryFieldOfACopy) {
  const solver::CopyAction copy{
      .input = 0, .sources = {"a"}, .dest = "/b/", .owner = {}, .mode = {}, .excludes = {}};
  const std::vector<std::function<void(solver::CopyAction&)>> edits = {
      [](auto& action) {
        action.sources = {"a", "c"};
      },
      [](auto& action) { action.dest = "/b"; },
      [](auto& action) { action.owner = solver::Owner{"1:2"}; },
      [](auto& action) { action.mode = "755"; },
      [](auto& action) { action.excludes = {"x"}; },
      [](auto& action) { action.parents = true; },
      [](auto& action) { action.unpack = true; },
  };
  const auto facts = [](const solver::CopyAction& action) {
    return op_facts(solver::FileOp{.has_base = true, .actions = {action}}, {});
  };
  for (std::size_t i = 0; i < edits.size(); ++i) {
    solver::CopyAction edited = copy;
    edits[i](edited);
    EXPECT_NE(facts(edited), facts(copy)) << "edit " << i;
  }
}

TEST(OpFacts, TellBuildArgumentsFromVariables) {
  const auto facts = op_facts(exec(), {"V"});
  EXPECT_THAT(facts, testing::Contains(testing::Field(&Fact::kind, FactKind::BuildArg)));
  const auto args = declared_build_args("ARG A=1 B\nFROM scratch\nARG C\nENV C=$C D=2\nARG D\n");
  EXPECT_EQ(args, (std::set<std::string>{"A", "B"}));
  EXPECT_TRUE(declared_build_args("").empty());
}

TEST(OpFacts, VeryLongTextsAreKeptByTheirEndsAndDigest) {
  ExecOp op = exec();
  op.args[2] = std::string(100'000, 'x');
  const auto facts = op_facts(op, {});
  EXPECT_LT(facts[0].value.size(), 5000U);
  op.args[2][50'000] = 'y';
  EXPECT_NE(op_facts(op, {})[0].value, facts[0].value);
}

TEST(Encoding, ComesBackAsItWas) {
  StepFacts step = run_step("[2/2] RUN \"x\"\n", "x\x1b", "p", {{"V", "ä"}}, 0);
  step.facts[0].shown = "s";
  step.facts[0].origin = "o";
  const std::vector<StepFacts> steps{step, {.name = "", .line = 0, .facts = {}}};
  EXPECT_EQ(decode_steps(encode(steps)).value(), steps);
  const Subject subject{
      .dockerfile = "d", .context = "c", .target = "t", .platforms = {"linux/arm64"}};
  EXPECT_EQ(decode_subject(encode(subject)).value(), subject);
}

TEST(Encoding, WhatAnotherVersionWroteIsRefused) {
  EXPECT_FALSE(decode_steps(R"({"version":2,"steps":[]})"));
  EXPECT_FALSE(decode_steps(R"({"version":1,"steps":[["a",1]]})"));
  EXPECT_FALSE(decode_steps(R"({"version":1,"steps":[["a",1,[[0,"p","n","v","","",7]]]]})"));
  EXPECT_FALSE(decode_steps(R"({"version":1,"steps":[["a",1,[[99,"p","n","v","","",-1]]]]})"));
  EXPECT_FALSE(decode_steps(""));
}

}  // namespace
}  // namespace mybuild::explain

// SPDX-License-Identifier: Apache-2.0
// mybuild-sandbox: the helper process of a step (started by the builder), and by hand a way to
// repeat a failing step
// ("mybuild-sandbox PLAN.json", under strace -f if need be) or to see whether this machine can do
// it ("probe overlay DIR").
#include "builder/sandbox/helper_main.h"
#include "builder/sandbox/probe.h"
#include "builder/sandbox/sandbox.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <cstdio>
#include <string>
#include <string_view>

namespace {

using mybuild::Result;
using mybuild::Status;
namespace sandbox = mybuild::sandbox;

constexpr int kStartFailure = 125;  // docker's code for "the container did not start"

int print_error(const mybuild::Error& error, int code) {
  std::fprintf(stderr, "mybuild-sandbox: %s\n", error.message().c_str());
  if (!error.hint().empty()) {
    std::fprintf(stderr, "  %s\n", error.hint().c_str());
  }
  return code;
}

Result<sandbox::SandboxExit> run_file(const std::string& path) {
  const std::string text = TRY(mybuild::read_file(path));
  const sandbox::SandboxPlan plan = TRY(sandbox::parse_plan(text));
  sandbox::Stdio stdio;
  stdio.in = TRY(mybuild::sys::dup(0));
  stdio.out = TRY(mybuild::sys::dup(1));
  stdio.err = TRY(mybuild::sys::dup(2));
  const mybuild::Cancel cancel;
  return sandbox::make_sandbox("/proc/self/exe")->run(plan, std::move(stdio), cancel);
}

int run_by_hand(const std::string& path) {
  const Result<sandbox::SandboxExit> exit = run_file(path);
  if (!exit) {
    return print_error(exit.error(), kStartFailure);
  }
  if (!exit->start_error.empty()) {
    std::fprintf(stderr, "mybuild-sandbox: %s\n", exit->start_error.c_str());
  }
  return exit->status.signal != 0 ? 128 + exit->status.signal : exit->status.code;
}

int probe(const std::string& directory) {
  const Status works = sandbox::probe_overlay(directory);
  return works ? 0 : print_error(works.error(), 1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (argc == 2 && verb == "serve") {
    return sandbox::helper_main();
  }
  if (argc == 4 && verb == "probe" && std::string_view(argv[2]) == "overlay") {
    return probe(argv[3]);
  }
  if (argc == 2 && !verb.starts_with('-')) {
    return run_by_hand(argv[1]);
  }
  std::fprintf(stderr, "usage: mybuild-sandbox PLAN.json | mybuild-sandbox probe overlay DIR\n");
  return kStartFailure;
}

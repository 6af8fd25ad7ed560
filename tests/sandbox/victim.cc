// SPDX-License-Identifier: Apache-2.0
// A builder that runs one plan and is killed meanwhile: "sandbox_victim HELPER PLAN.json".
#include "builder/sandbox/sandbox.h"
#include "snapshotter/base/file.h"

#include <cstdio>

namespace {

using namespace mybuild;

Status run(const std::string& helper, const std::string& path) {
  const std::string text = TRY(read_file(path));
  const sandbox::SandboxPlan plan = TRY(sandbox::parse_plan(text));
  sandbox::Stdio stdio;
  stdio.on_output = [](int, std::string_view bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
  };
  const Cancel cancel;
  TRY(sandbox::make_sandbox(helper)->run(plan, std::move(stdio), cancel));
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  return argc == 3 && run(argv[1], argv[2]) ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
// Writes the seccomp filter of the sandbox as the initialiser list of a sock_filter array, for
// inclusion by seccomp.cc.
#include "builder/sandbox/seccomp_gen/assemble.h"

#include <cstdio>
#include <vector>

int main(int argc, char** argv) {
  const std::vector<sock_filter> program = mybuild::sandbox::seccomp_gen::assemble_default_filter();
  std::FILE* const out = argc == 2 ? std::fopen(argv[1], "w") : nullptr;
  if (out == nullptr || program.size() > BPF_MAXINSNS) {
    std::fprintf(stderr, "usage: seccomp_gen OUTPUT (program: %zu instructions)\n", program.size());
    return 1;
  }
  for (const sock_filter& step : program) {
    std::fprintf(out, "{%#x, %u, %u, %#x},\n", step.code, step.jt, step.jf, step.k);
  }
  return std::fclose(out) == 0 ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
// The fields of RUN --mount=….
#include "frontend/dockerfile/expand.h"
#include "frontend/dockerfile/run_mount.h"
#include "tests/fuzz/fuzz.h"

namespace mybuild::fuzz {

void run(std::string_view input) {
  frontend::EnvList env;
  env.set("A", "value");
  env.set("TYPE", "cache");
  const frontend::WordExpander expander = [&](std::string_view word) -> Result<std::string> {
    auto expanded = TRY(frontend::expand(word, env, {}));
    return std::move(expanded.text);
  };
  const auto from = frontend::mount_from(input);
  const auto mount = frontend::parse_run_mount(input, expander);
  if (mount && from) {
    require(mount->from == *from, "both readers of a mount see the same from");
  }
  if (mount) {
    require(mount->size == 0 || mount->type == frontend::MountType::Tmpfs, "only a tmpfs has size");
    require(mount->sharing.empty() || mount->type == frontend::MountType::Cache,
            "only a cache is shared");
  }
  static_cast<void>(frontend::parse_size(input));
}

}  // namespace mybuild::fuzz

// SPDX-License-Identifier: Apache-2.0
// RUN --mount=…: the comma-separated fields of one mount. `from` is read when the file is parsed,
// since it says which stages are needed; everything else when the step is lowered, since it may
// hold variables. Pure; thread-safe.
#pragma once

#include "snapshotter/base/result.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::frontend {

enum class MountType { Bind, Cache, Tmpfs, Secret, Ssh };

struct RunMount {
  MountType type = MountType::Bind;
  std::string from;
  std::string source;
  std::string target;
  std::string id;
  std::string sharing;  // cache: shared, private, locked; empty = shared
  bool read_only = true;
  bool required = false;
  std::optional<std::string> env;  // means something for secrets only
  std::uint64_t size = 0;
  std::optional<std::uint32_t> mode;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
};

/// The `from` of a mount, "" when there is none. Variables in it are refused.
Result<std::string> mount_from(std::string_view text);

using WordExpander = std::function<Result<std::string>(std::string_view)>;
/// All fields, values expanded. Fails on unknown keys and on combinations that make no sense.
Result<RunMount> parse_run_mount(std::string_view text, const WordExpander& expander);

/// "64m", "1.5g", "1048576": bytes, in powers of 1024.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace mybuild::frontend

// SPDX-License-Identifier: Apache-2.0
// ImageConfig: what an image says beside its layers (image-spec config.md, with docker's extensions
// Healthcheck, Shell, OnBuild, ArgsEscaped). Fields that we do not know are kept as they came, at
// both levels. Value type.
#pragma once

#include "snapshotter/base/clock.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/result.h"
#include "snapshotter/oci/platform.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mybuild::oci {

struct Healthcheck {
  std::vector<std::string> test;  // {"NONE"}, {"CMD", …} or {"CMD-SHELL", text}
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  int retries = 0;
  bool operator==(const Healthcheck&) const = default;
};

struct History {
  std::optional<Time> created;
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;
  bool operator==(const History&) const = default;
};

struct ImageConfig {
  Platform platform;
  std::optional<Time> created;
  std::string author;

  // config.*
  std::string user;
  std::vector<std::string> env;  // "K=V" in order
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::string working_dir;
  std::map<std::string, std::string> labels;
  std::set<std::string> exposed_ports;  // "80/tcp"
  std::set<std::string> volumes;
  std::string stop_signal;
  std::optional<Healthcheck> healthcheck;
  std::vector<std::string> shell;
  std::vector<std::string> on_build;
  bool args_escaped = false;

  std::vector<Digest> diff_ids;
  std::vector<History> history;

  /// Fields not named above, as canonical JSON objects ("" = none): of the top level, and of
  /// "config".
  std::string unknown_top;
  std::string unknown_config;

  /// Value of an environment variable; nullopt when it is not set. Valid until `env` changes.
  std::optional<std::string_view> find_env(std::string_view name) const;
  /// Replaces in place or appends.
  void set_env(std::string_view name, std::string_view value);

  bool operator==(const ImageConfig&) const = default;
};

Result<ImageConfig> parse_image_config(std::string_view json);
/// As BuildKit writes it: one line, the top level sorted, what is below in the order of Go's
/// structs, empty fields left out; the same config always gives the same bytes.
std::string dump(const ImageConfig& config);

/// ChainID of the first `count` layers (image-spec config.md, "Layer ChainID"). The zero digest for
/// none.
Digest chain_id(const std::vector<Digest>& diff_ids, std::size_t count);
Digest chain_id(const Digest& parent_chain, const Digest& diff_id);

}  // namespace mybuild::oci
